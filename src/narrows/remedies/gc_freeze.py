"""Python looks for garbage less often, and not among what was there when the loop began."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "gc-freeze"
CLASS = "exact"
TEXT = {
    "en": (
        "Python looks for garbage less often",
        "Nothing in the results. Objects that refer to each other in a circle are freed later.",
    ),
    "zh": ("Python 更少做垃圾回收", "结果不变。互相循环引用的对象更晚释放。"),
}
PART = 0.05
"""Of the time in Python and the framework's overhead, what looking for garbage takes."""
THRESHOLD = 50_000
"""Objects more than there were, until it looks: 700 (2000 from Python 3.13 on) as it comes."""
WARM = 10
"""Updates, or model calls, until what is there is there to stay."""


def candidates(view: View) -> list[Candidate]:
    saved = PART * (view.seconds("overhead") + view.seconds("host"))
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    calls = [0]

    def make(call: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        calls[0] += 1
        if calls[0] == WARM:
            _freeze()
        return call(model, *args, **kwargs)

    within.through(torch, make)


def _freeze() -> None:
    """A script that sets its own threshold, or none, keeps it."""
    first, *others = gc.get_threshold()
    if gc.isenabled() and 0 < first < THRESHOLD:
        gc.collect()
        gc.freeze()
        gc.set_threshold(THRESHOLD, *others)
        within.note(NAME, frozen=gc.get_freeze_count())


def by_hand(value: bool) -> str:
    return f"gc.collect(); gc.freeze(); gc.set_threshold({THRESHOLD})  # after the first steps"
