"""A model that is in float64 computes in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import conversion

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "float32"
CLASS = "numerics"
TEXT = {
    "en": (
        "A model in float64 computes in float32",
        "Weights, gradients and optimizer state are rounded to 24 bits of mantissa. What is around the model (inputs, "
        "targets, the loss) stays in float64.",
    ),
    "zh": (
        "float64 的模型改用 float32 计算",
        "权重、梯度和优化器状态舍入到 24 位尾数。模型之外（输入、目标、损失）仍为 float64。",
    ),
}
HALF = 0.5
"""Of what is bound by memory, and of arithmetic whose ratio was not measured."""


def candidates(view: View) -> list[Candidate]:
    if not estimates.all_in(view, "float64"):
        return []
    saved = 0.0
    for kernel in view.kernels:
        if kernel.dtype == "float64" and kernel.state in (*estimates.MODEL, "optimizer"):
            times = estimates.times_faster(view, "float32", "float64")
            part = 1 - 1 / times if kernel.bound == "compute" and times > 1 else HALF
            saved += part * kernel.seconds
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    # `set_default_dtype` and `.double()` are left alone: what the script made is in the dtype that it expects, and
    # only what the models compute changes. An optimizer keeps its parameters, and makes its state at its first step.
    conversion.compute_in(torch, NAME, torch.float64, torch.float32, wanted=lambda module: True, default=True)


def by_hand(value: bool) -> str:
    return "model = model.float()\noutput = model(batch.float())"
