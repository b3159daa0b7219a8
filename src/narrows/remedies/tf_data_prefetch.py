"""`tf.data` makes the next elements while a step runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "tf-data-prefetch"
FRAMEWORK = "tensorflow"
CLASS = "exact"
TEXT = {
    "en": ("tf.data makes the next elements during the step", "Memory for the elements that wait."),
    "zh": ("tf.data 在计算时准备后面的元素", "等待中的元素占用内存。"),
}


def candidates(view: View) -> list[Candidate]:
    told = view.process.first("pipeline")
    ran = [name for event in view.process.events.get("graphs", ()) for name, *_ in event["stages"]]
    if not told or any("Prefetch" in name for name in [*(stage for stage, _ in told["stages"]), *ran]):
        return []
    waited = view.steady.seconds["next"]
    saved = min(waited, view.step - waited)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(tensorflow: Any, value: bool) -> None:
    dataset = tensorflow.data.Dataset
    original = dataset.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        if "Prefetch" in type(self).__name__:
            return original(self)
        within.note(NAME)
        return original(self.prefetch(tensorflow.data.AUTOTUNE))

    dataset.__iter__ = __iter__


def by_hand(value: bool) -> str:
    return "dataset = dataset.prefetch(tf.data.AUTOTUNE)"
