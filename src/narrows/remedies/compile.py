"""The model is compiled at its first call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import compilation

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "compile"
CLASS = "exact"
TEXT = {
    "en": (
        "The model is compiled (torch.compile)",
        "Rounding, since sums are made in another order. The first steps take seconds to minutes longer.",
    ),
    "zh": (
        "编译模型（torch.compile）",
        "求和顺序不同带来的舍入。最初几步会多花几秒到几分钟。",
    ),
}


def candidates(view: View) -> list[Candidate]:
    if not compilation.possible(view) or estimates.shapes_change(view):
        return []
    saved = compilation.saving(view)
    return [Candidate(value="default", seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: str) -> None:
    compilation.compile_outermost(torch, NAME, mode=value)


def by_hand(value: str) -> str:
    return "model.compile()" if value == "default" else f'model.compile(mode="{value}")'


def edit(source: str, value: str) -> str | None:
    from narrows.edits.model import after_model

    return after_model(source, by_hand(value).removeprefix("model."))
