"""The optimizer's calls are not labelled for a profiler while none is running."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "optimizer-labels"
CLASS = "exact"
TEXT = {
    "en": (
        "The optimizer does not label its calls for a profiler while none is running",
        "Nothing in the results. A profiler that is running sees the labels as before.",
    ),
    "zh": ("没有分析器在运行时，优化器不再为其调用打标签", "结果不变。分析器运行时，标签照常可见。"),
}
LABEL = 4.0
"""Times what it costs to dispatch an op: two ops, a string and an object. 5.5 us where an `add` takes 0.8 to 2."""
LABELS = 2
"""Of each update: `step` and `zero_grad`."""


def candidates(view: View) -> list[Candidate]:
    if not view.process.events.get("optimizer") or view.steps.type != "training":
        return []
    saved = LABELS * LABEL * view.ceilings.dispatch_seconds
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    profiler, optimizer = torch.autograd.profiler, torch.optim.Optimizer
    label, compiling, silent = profiler.record_function, torch.compiler.is_compiling, nullcontext()
    noted: list[bool] = []

    def nothing(*args: Any, **kwargs: Any) -> Any:
        return silent

    def unlabelled(call: Callable[..., Any], own: int) -> Callable[..., Any]:
        @functools.wraps(call)
        def quiet(*args: Any, **kwargs: Any) -> Any:
            # With a closure, the model runs inside of the update, and has labels of its own.
            if len(args) > own or kwargs or compiling() or profiler._is_profiler_enabled:
                return call(*args, **kwargs)
            if not noted:
                noted.append(True)
                within.note(NAME, optimizer=type(args[0]).__name__)
            profiler.record_function = nothing
            try:
                return call(*args, **kwargs)
            finally:
                profiler.record_function = label

        return quiet

    hook = optimizer.profile_hook_step
    optimizer.profile_hook_step = staticmethod(lambda step: unlabelled(hook(step), own=1))
    optimizer.zero_grad = unlabelled(optimizer.zero_grad, own=1)


def by_hand(value: bool) -> str:
    return "torch.autograd.profiler.record_function = lambda *_: contextlib.nullcontext()  # while nothing is profiled"
