"""Keras' layers compute in bfloat16, and keep their weights in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "keras-mixed-precision"
FRAMEWORK = "keras"
CLASS = "numerics"
TEXT = {
    "en": (
        "Keras' layers compute in bfloat16 (mixed_bfloat16 policy)",
        "Products have 8 bits of precision instead of 24; weights and the update keep theirs.",
    ),
    "zh": ("Keras 的层用 bfloat16 计算（mixed_bfloat16 策略）", "乘积的精度是 8 位而不是 24 位；权重和更新保持原样。"),
}
FASTER = 1.3


def candidates(view: View) -> list[Candidate]:
    rates = view.ceilings.flops
    wide, narrow = rates.get("float32"), rates.get("bfloat16")
    if view.process.last("keras").get("policy") != "float32" or not wide or not narrow or narrow < FASTER * wide:
        return []
    spent = sum(k.seconds for k in view.kernels if k.dtype == "float32" and k.cost.kind in estimates.PRODUCTS)
    saved = spent * (1 - wide / narrow)
    return [Candidate(value="mixed_bfloat16", seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(keras: Any, value: str) -> None:
    """A policy that the script sets itself comes later, and holds."""
    keras.config.set_dtype_policy(value)
    within.note(NAME, policy=value)


def by_hand(value: str) -> str:
    return f'keras.mixed_precision.set_global_policy("{value}")'
