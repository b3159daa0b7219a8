"""A model that only answers keeps its weights in bfloat16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import conversion, within
from .inside.living import Living

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "bf16-weights"
CLASS = "numerics"
ROOM = (True,)
TEXT = {
    "en": (
        "The model keeps its weights in bfloat16",
        "Weights and activations are rounded to 8 bits of mantissa. Answers come back in float32. A model that learns "
        "after all goes back to float32, and begins with the rounded weights.",
    ),
    "zh": (
        "模型权重以 bfloat16 保存",
        "权重和激活舍入到 8 位尾数。输出仍为 float32。若模型之后仍要学习，则回到 float32，从舍入后的权重开始。",
    ),
}


def candidates(view: View) -> list[Candidate]:
    # Half of the bytes helps only where bfloat16 arithmetic is not slower.
    if not estimates.infers(view) or not possible(view.process) or not estimates.all_in(view, "float32"):
        return []
    if estimates.times_faster(view, "bfloat16") <= 1.0:
        return []
    saved = estimates.fewer_bits(view, "bfloat16")
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def possible(process: Process) -> bool:
    return estimates.only_answers(process)


def apply(torch: Any, value: bool) -> None:
    optimizers, learning = Living(torch.optim.Optimizer), set[int]()

    def wanted(module: Any) -> bool:
        """Asked at each call: a job may only check its model before it trains it."""
        if optimizers.fresh:
            groups = [group for each in optimizers.of(torch.optim.Optimizer) for group in each.param_groups]
            learning.clear()
            learning.update(id(p) for group in groups for p in group["params"])
        if not within.infers(torch, module):
            return False
        return not learning or learning.isdisjoint(id(p) for p in module.parameters())

    conversion.compute_in(torch, NAME, torch.float32, torch.bfloat16, wanted=wanted)


def by_hand(value: bool) -> str:
    return "model = model.to(torch.bfloat16)\noutput = model(batch.to(torch.bfloat16)).float()"
