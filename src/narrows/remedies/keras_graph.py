"""Keras' step is a graph, although the script asks for op by op."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "keras-graph"
FRAMEWORK = "keras"
CLASS = "exact"
TEXT = {
    "en": (
        "Keras' step is one graph (run_eagerly=False)",
        "Rounding. Python in train_step or in a layer runs once, when the graph is made: prints and breakpoints are gone.",
    ),
    "zh": (
        "Keras 的一步做成一个图（run_eagerly=False）",
        "舍入。train_step 或层里的 Python 只在建图时运行一次：打印和断点不再起作用。",
    ),
}
SAVED = 0.8
"""Of what getting ops to run from Python costs."""


def candidates(view: View) -> list[Candidate]:
    if not view.process.first("trainer").get("run_eagerly"):
        return []
    saved = SAVED * estimates.spent(view, "overhead", states=(*estimates.MODEL, "optimizer", "graph"))
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(keras: Any, value: bool) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if given["run_eagerly"]:
            given["run_eagerly"] = False
            within.note(NAME, model=type(model).__name__)

    within.arguments(NAME, keras.Model, change, "compile")


def by_hand(value: bool) -> str:
    return "model.compile(..., run_eagerly=False)"
