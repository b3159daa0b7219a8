"""A model that only answers keeps its weights in bfloat16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import conversion, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "bf16-weights"
CLASS = "numerics"
ROOM = (True,)
TEXT = {
    "en": (
        "The model keeps its weights in bfloat16",
        "Weights and activations are rounded to 8 bits of mantissa. Answers come back in float32.",
    ),
    "zh": (
        "模型权重以 bfloat16 保存",
        "权重和激活舍入到 8 位尾数。输出仍为 float32。",
    ),
}


def candidates(view: View) -> list[Candidate]:
    # Half of the bytes helps only where bfloat16 arithmetic is not slower.
    if not estimates.infers(view) or not estimates.all_in(view, "float32"):
        return []
    if estimates.times_faster(view, "bfloat16") <= 1.0:
        return []
    saved = estimates.fewer_bits(view, "bfloat16")
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    conversion.compute_in(
        torch, NAME, torch.float32, torch.bfloat16, wanted=lambda module: within.infers(torch, module)
    )


def by_hand(value: bool) -> str:
    return "model = model.to(torch.bfloat16)\noutput = model(batch.to(torch.bfloat16)).float()"
