"""Keras makes several steps in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "keras-steps-per-execution"
FRAMEWORK = "keras"
CLASS = "exact"
TEXT = {
    "en": (
        "Keras makes several steps in a call (steps_per_execution)",
        "Callbacks for batches are called once for so many batches, and the progress bar moves as much at once.",
    ),
    "zh": ("Keras 一次调用执行多步（steps_per_execution）", "批级回调每这么多批才调用一次，进度条也一次前进这么多。"),
}
TIMES = (4, 16)
CALL = 2e-4
"""Seconds: of a graph's call, what is paid once whatever it holds."""


def candidates(view: View) -> list[Candidate]:
    told, batches = view.process.first("trainer"), view.process.first("data").get("batches")
    if not batches or told.get("run_eagerly") or told.get("steps_per_execution") != 1:
        return []
    once = estimates.spent(view, "overhead", states=("trainer",))
    once += min(CALL, estimates.spent(view, "overhead", states=("graph",)))
    found = [
        Candidate(value=times, seconds=(1 - 1 / times) * once)
        # With a rest, the last call of an epoch would be a graph of its own.
        for times in TIMES
        if batches % times == 0
    ]
    return [c for c in found if view.share(c.seconds) >= estimates.WORTH]


def apply(keras: Any, value: int) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if given["steps_per_execution"] == 1 and not given["run_eagerly"]:
            given["steps_per_execution"] = value
            within.note(NAME, model=type(model).__name__, steps=value)

    within.arguments(NAME, keras.Model, change, "compile")


def by_hand(value: int) -> str:
    return f"model.compile(..., steps_per_execution={value})"
