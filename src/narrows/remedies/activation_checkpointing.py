"""Repeated blocks keep only their inputs for the backward pass, and are computed again in it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import blocks, drawn, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "activation-checkpointing"
CLASS = "memory"
ROOM = (True, 2, 3)
"""One block of so many is computed again; True: each."""
TEXT = {
    "en": (
        "Repeated blocks are computed again in the backward pass",
        "Nothing but time: random numbers are drawn again as they were. Blocks that change themselves when they are called "
        "(batch normalisation, spectral norm, codebooks) are left alone: it would be done twice.",
    ),
    "zh": (
        "重复的模块在反向传播中重新计算",
        "只影响时间：随机数会按原样重现。调用时会改变自身的模块（批归一化、谱归一化、码本）保持不变，否则会更新两次。",
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
    proven: Any = weakref.WeakSet()
    """Those whose call changes nothing in them."""
    norm = torch.nn.modules.batchnorm._BatchNorm
    original = module_class.__call__

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        # By the class first: all other modules pay for one look into a set.
        if type(self) in kinds and self in chosen and self.training and torch.is_grad_enabled():
            if self not in proven:
                return first(self, args, kwargs)
            return checkpoint(original, self, *args, use_reentrant=False, **kwargs)
        return original(self, *args, **kwargs)

    module_class.__call__ = __call__

    def first(block: Any, args: Any, kwargs: Any) -> Any:
        """A block that changes itself (power iterations, codebooks) is put back, and called as it would have been."""
        before = State(torch, block)
        output = checkpoint(original, block, *args, use_reentrant=False, **kwargs)
        if not before.changed():
            proven.add(block)
            return output
        chosen.discard(block)
        within.fault(NAME, RuntimeError(f"a call changes {type(block).__name__}"))
        before.restore()
        return original(block, *args, **kwargs)

    def change(module: Any) -> None:
        found = [
            block
            for each in blocks.lists(torch, module)
            for block in each[:: int(value)]
            if not any(isinstance(inner, norm) for inner in block.modules())
        ]
        for block in found:
            chosen.add(block)
            kinds.add(type(block))
        if found:
            within.note(NAME, model=type(module).__name__, blocks=len(found))

    within.first_training_call(torch, NAME, change)


class State:
    """What a call may change in a block, and where random numbers are drawn from."""

    def __init__(self, torch: Any, block: Any) -> None:
        self.torch = torch
        parts = list(block.modules())
        self.tensors = [
            (held, name, tensor, tensor._version, tensor.clone())
            for part in parts
            for held in (part._buffers, part._parameters)
            for name, tensor in held.items()
            if tensor is not None and not tensor.requires_grad
        ]
        # "It has begun": a first call that sets where it begins.
        self.flags = [(vars(p), name, value) for p in parts for name, value in vars(p).items() if type(value) is bool]
        self.drawn = drawn.Drawn(torch)

    def changed(self) -> bool:
        tensors = any(held.get(name) is not t or t._version != then for held, name, t, then, _ in self.tensors)
        return tensors or any(held.get(name) is not value for held, name, value in self.flags)

    def restore(self) -> None:
        with self.torch.no_grad():
            for held, name, tensor, _, then in self.tensors:
                held[name] = tensor
                tensor.copy_(then)
        for owner, name, value in self.flags:
            owner[name] = value
        self.drawn.undo()


def by_hand(value: int) -> str:
    line = "x = torch.utils.checkpoint.checkpoint(block, x, use_reentrant=False)"
    return line if value == 1 else f"{line}  # one block of {value}"
