"""The model computes its products in bfloat16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates, nested, within
from .candidate import Candidate

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "autocast-bf16"
CLASS = "numerics"
TEXT = {
    "en": (
        "The model computes its products in bfloat16 (autocast)",
        "Products are rounded to 8 bits of mantissa. Weights, gradients and the loss stay in float32.",
    ),
    "zh": (
        "模型用 bfloat16 计算矩阵乘和卷积（autocast）",
        "乘积舍入到 8 位尾数。权重、梯度和损失仍为 float32。",
    ),
}
FASTER = 1.2
"""Ratio of the measured ceilings under which the casts eat what the products gain."""


def candidates(view: View) -> list[Candidate]:
    # A model in autocast has float32 parameters too, but its products are not.
    if max(estimates.times_faster(view, "bfloat16", kind=kind) for kind in estimates.PRODUCTS) <= FASTER:
        return []
    saved = estimates.fewer_bits(view, "bfloat16", casts=True)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    told: set[str] = set()

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        parameter = next(module.parameters(), None)
        if (
            parameter is None
            or parameter.dtype is not torch.float32
            or torch.is_autocast_enabled(parameter.device.type)
        ):
            return call(module, *args, **kwargs)
        name = type(module).__name__
        if name not in told:
            told.add(name)
            within.note(NAME, model=name)
        # Forward only: backward runs each op in the dtype that its forward had.
        with torch.autocast(parameter.device.type, torch.bfloat16):
            output = call(module, *args, **kwargs)
        return nested.cast(torch, output, torch.bfloat16, torch.float32)

    within.through(torch, make)


def by_hand(value: bool) -> str:
    return "with torch.autocast(device.type, torch.bfloat16):\n    output = model(batch)\nloss = criterion(output.float(), target)"
