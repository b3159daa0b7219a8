"""Repeated blocks keep only their inputs for the backward pass, and are computed again in it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import blocks, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "activation-checkpointing"
CLASS = "memory"
ROOM = (True, 2, 3)
"""One block of so many is computed again; True: each."""
TEXT = {
    "en": (
        "Repeated blocks are computed again in the backward pass",
        "Nothing but time: random numbers are drawn again as they were. Blocks with batch normalisation are left alone, "
        "since their running averages would be updated twice.",
    ),
    "zh": (
        "重复的模块在反向传播中重新计算",
        "只影响时间：随机数会按原样重现。含批归一化的模块保持不变，否则其滑动平均会更新两次。",
    ),
}


def candidates(view: View) -> list[Candidate]:
    if not estimates.trains(view) or not estimates.passing(view):
        return []
    # It costs the blocks' forward once more; what it is worth, only memory says.
    return [Candidate(value=each, seconds=-view.steady.seconds["forward"] / each) for each in ROOM]


def apply(torch: Any, value: int) -> None:
    from torch.utils.checkpoint import checkpoint  # type: ignore[import-not-found,unused-ignore]

    module_class = torch.nn.Module
    chosen: Any = weakref.WeakSet()
    kinds: set[type] = set()
    norms = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d, torch.nn.SyncBatchNorm)
    original = module_class.__call__

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        # By the class first: all other modules pay for one look into a set.
        if type(self) in kinds and self in chosen and self.training and torch.is_grad_enabled():
            return checkpoint(original, self, *args, use_reentrant=False, **kwargs)
        return original(self, *args, **kwargs)

    module_class.__call__ = __call__

    def change(module: Any) -> None:
        found = [
            block
            for each in blocks.lists(torch, module)
            for block in each[:: int(value)]
            if not any(isinstance(inner, norms) for inner in block.modules())
        ]
        for block in found:
            chosen.add(block)
            kinds.add(type(block))
        if found:
            within.note(NAME, model=type(module).__name__, blocks=len(found))

    within.first_training_call(torch, NAME, change)


def by_hand(value: int) -> str:
    line = "x = torch.utils.checkpoint.checkpoint(block, x, use_reentrant=False)"
    return line if value == 1 else f"{line}  # one block of {value}"
