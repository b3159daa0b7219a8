"""Keras' step is compiled by XLA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "keras-jit"
FRAMEWORK = "keras"
CLASS = "exact"
TEXT = {
    "en": (
        "Keras' step is compiled (jit_compile=True)",
        "Rounding, since sums are made in another order. The first step of each shape takes seconds longer.",
    ),
    "zh": ("编译 Keras 的一步（jit_compile=True）", "求和顺序不同带来的舍入。每种形状的第一步会多花几秒。"),
}
FUSED = 0.5
"""Of what is not arithmetic in a graph: what fusing its ops is taken to save."""


def candidates(view: View) -> list[Candidate]:
    told = view.process.first("trainer")
    if told.get("jit_compile") or told.get("run_eagerly"):
        return []
    states = (*estimates.MODEL, "optimizer", "graph")
    saved = FUSED * estimates.spent(view, "overhead", "bandwidth", states=states)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(keras: Any, value: bool) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if given["jit_compile"] == "auto" and not given["run_eagerly"]:
            given["jit_compile"] = value
            within.note(NAME, model=type(model).__name__)

    within.arguments(NAME, keras.Model, change, "compile")


def by_hand(value: bool) -> str:
    return f"model.compile(..., jit_compile={value})"
