"""Adam and AdamW keep their two averages in 8 bits."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within
from .inside.eight_bits import Codes

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "optimizer-8bit"
CLASS = "numerics"
ROOM = (True,)
OPTIMIZERS = ("Adam", "AdamW")
TEXT = {
    "en": (
        "Adam keeps its averages in 8 bits",
        "The averages are rounded to about 1% after each update. A checkpoint of the optimizer holds codes instead of numbers.",
    ),
    "zh": (
        "Adam 用 8 位保存其均值",
        "每次更新后均值被舍入到约 1%。优化器的检查点中保存的是编码而不是数值。",
    ),
}
FEWEST = 4096
"""Elements. What is smaller takes nothing that counts, and is the most delicate: biases, norms."""
KEPT = {"exp_avg": True, "exp_avg_sq": False}
"""Of a parameter, and whether it has a sign."""


def candidates(view: View) -> list[Candidate]:
    return []  # it makes nothing faster; `ROOM` says what it is for


def possible(process: Process) -> bool:
    return estimates.updated_by(process, OPTIMIZERS)


def apply(torch: Any, value: bool) -> None:
    codes: dict[str, Codes] = {}
    told: list[bool] = []

    def suitable(optimizer: Any) -> bool:
        refused = ("amsgrad", "capturable", "differentiable")
        return all(
            not any(group.get(name) for name in refused)
            and all(p.grad is None or (not p.grad.is_sparse and not p.is_complex()) for p in group["params"])
            for group in optimizer.param_groups
        )

    def change(optimizer_class: Any) -> None:
        original = optimizer_class.step

        @functools.wraps(original)
        def step(self: Any, closure: Any = None) -> Any:
            if type(self) not in (torch.optim.Adam, torch.optim.AdamW) or not suitable(self):
                return original(self, closure)
            if not codes:
                codes.update({name: Codes(torch, signed=signed) for name, signed in KEPT.items()})
            if not told:
                told.append(True)
                within.note(NAME, optimizer=type(self).__name__)
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            decoupled = isinstance(self, torch.optim.AdamW)
            # To a fused optimizer, GradScaler leaves it to see that gradients are finite, and to unscale them.
            scale, infinite = getattr(self, "grad_scale", None), getattr(self, "found_inf", None)
            if infinite is not None and bool(infinite):
                return loss
            with torch.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        if parameter.grad is not None:
                            if scale is not None:
                                parameter.grad.div_(scale)
                            _update(torch, parameter, group, self.state[parameter], codes, decoupled=decoupled)
            return loss

        optimizer_class.step = step

    for each in dict.fromkeys(c for c in (torch.optim.Adam, torch.optim.AdamW) if "step" in vars(c)):
        change(each)


def _update(torch: Any, parameter: Any, group: Any, state: Any, codes: dict[str, Codes], *, decoupled: bool) -> None:
    """One of Adam (Kingma and Ba, 2015) or AdamW (Loshchilov and Hutter, 2019), as torch writes it."""
    gradient = -parameter.grad if group["maximize"] else parameter.grad
    rate, (beta1, beta2) = group["lr"], group["betas"]
    # A number, not a tensor: a trace without numbers could not raise anything to its power.
    count = state["step"] = int(state.get("step", 0)) + 1
    if group["weight_decay"] and decoupled:
        parameter.mul_(1 - rate * group["weight_decay"])
    elif group["weight_decay"]:
        gradient = gradient.add(parameter, alpha=group["weight_decay"])
    first = _read(torch, state, "exp_avg", parameter, codes).lerp_(gradient.float(), 1 - beta1)
    second = _read(torch, state, "exp_avg_sq", parameter, codes)
    second.mul_(beta2).addcmul_(gradient.float(), gradient.float(), value=1 - beta2)
    size = second.sqrt().div_((1 - beta2**count) ** 0.5).add_(group["eps"])
    parameter.addcdiv_(first.to(parameter.dtype), size.to(parameter.dtype), value=-rate / (1 - beta1**count))
    del size
    _write(state, "exp_avg", first, codes)
    _write(state, "exp_avg_sq", second, codes)


def _read(torch: Any, state: Any, name: str, parameter: Any, codes: dict[str, Codes]) -> Any:
    """The average, as float32: from its codes; as a checkpoint of another run had it; or from nothing."""
    if f"{name}_codes" in state:  # a checkpoint that is loaded makes numbers of codes
        return codes[name].decode(state[f"{name}_codes"].to(torch.uint8), state[f"{name}_scales"].float())
    if name in state:
        return state[name].float()
    return torch.zeros_like(parameter, dtype=torch.float32)


def _write(state: Any, name: str, average: Any, codes: dict[str, Codes]) -> None:
    if average.numel() < FEWEST:
        state[name] = average
    else:
        state.pop(name, None)
        state[f"{name}_codes"], state[f"{name}_scales"] = codes[name].encode(average)


def by_hand(value: bool) -> str:
    return "optimizer = torchao.optim.AdamW8bit(model.parameters(), ...)  # or bitsandbytes.optim.AdamW8bit"
