"""The model is compiled at its first call, once for all shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import compilation

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "compile-dynamic"
CLASS = "exact"
TEXT = {
    "en": (
        "The model is compiled for shapes that change (torch.compile, dynamic)",
        "Rounding, since sums are made in another order. The first steps take seconds to minutes longer.",
    ),
    "zh": (
        "为变化的形状编译模型（torch.compile，dynamic）",
        "求和顺序不同带来的舍入。最初几步会多花几秒到几分钟。",
    ),
}
WORSE = 0.8
"""Loops whose bounds are not known when they are compiled are not as fast."""


def candidates(view: View) -> list[Candidate]:
    if not compilation.possible(view) or not estimates.shapes_change(view):
        return []
    saved = WORSE * compilation.saving(view)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    compilation.compile_outermost(torch, NAME, dynamic=True)


def by_hand(value: bool) -> str:
    return "model.compile(dynamic=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.model import after_model

    return after_model(source, by_hand(value).removeprefix("model."))
