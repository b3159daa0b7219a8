"""Gradients are dropped instead of being filled with zeros."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "zero-grad-none"
CLASS = "exact"
TEXT = {
    "en": (
        "Gradients are dropped instead of being filled with zeros",
        "Nothing in the results. A script that reads .grad before the next backward finds None.",
    ),
    "zh": ("梯度直接丢弃，而不是填零", "结果不变。若脚本在下一次反向之前读取 .grad，会得到 None。"),
}


def candidates(view: View) -> list[Candidate]:
    zeroed = [
        k for k in view.kernels if k.name in ("zero_", "_foreach_zero_") and k.state not in ("forward", "backward")
    ]
    # What is zeroed is then added to, which costs as much again and goes as well.
    saved = 2 * sum(k.seconds for k in zeroed) + sum(k.calls * k.fixed for k in zeroed)
    saved = min(saved, view.step)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    from torch.optim.optimizer import (  # type: ignore[import-not-found,unused-ignore]
        register_optimizer_step_pre_hook,
    )

    dropped: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
    """Parameters whose gradients would be zeros now."""
    noted: list[bool] = []

    def changed(original: Any, parameters: Any) -> Any:
        @functools.wraps(original)
        def zero_grad(self: Any, set_to_none: bool = True) -> Any:
            if set_to_none and dropped:
                for parameter in parameters(self):
                    dropped.pop(id(parameter), None)
            filled = [] if set_to_none else [p for p in parameters(self) if p.grad is not None]
            if not filled or any(p.grad.is_sparse for p in filled):
                return original(self, set_to_none)
            dropped.update((id(p), p) for p in filled)
            if not noted:
                noted.append(True)
                within.note(NAME)
            return original(self, True)

        return zero_grad

    def before(optimizer: Any, args: Any, kwargs: Any) -> None:
        # An update skips a parameter without a gradient, but decays and moves one whose gradient is zero.
        if dropped:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if dropped.pop(id(parameter), None) is not None and parameter.grad is None:
                        parameter.grad = torch.zeros_like(parameter)

    optimizer_class, module_class = torch.optim.Optimizer, torch.nn.Module
    optimizer_class.zero_grad = changed(
        optimizer_class.zero_grad, lambda self: (p for group in self.param_groups for p in group["params"])
    )
    module_class.zero_grad = changed(module_class.zero_grad, lambda self: self.parameters())
    register_optimizer_step_pre_hook(before)


def by_hand(value: bool) -> str:
    return "optimizer.zero_grad(set_to_none=True)"
