"""A model that only answers is traced, and its weights frozen into the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import twin

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "frozen"
CLASS = "exact"
TEXT = {
    "en": (
        "The model is traced and frozen (TorchScript)",
        "Rounding, as normalisations are folded into convolutions. The model is held twice. Python in its forward, such "
        "as prints and counters, does not run.",
    ),
    "zh": (
        "跟踪并冻结模型（TorchScript）",
        "归一化折叠进卷积带来的舍入。模型占两份内存。forward 里的 Python（打印、计数）不再执行。",
    ),
}
LEFT = 0.6
"""Of the overhead: Python between the ops goes, their dispatch stays."""
LEFT_OF_FOLDED = 0.3


def candidates(view: View) -> list[Candidate]:
    if not estimates.infers(view) or estimates.compiled(view):
        return []
    folded = sum(k.seconds for k in view.kernels if k.state in estimates.MODEL and k.name.endswith("batch_norm"))
    saved = (1 - LEFT) * estimates.spent(view, "overhead") + (1 - LEFT_OF_FOLDED) * folded
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    def build(flat: Any, given: list[Any]) -> twin.Fast:
        with twin.tracing(torch):
            traced = torch.jit.trace(flat, tuple(given), strict=False, check_trace=False)
            frozen = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
        return lambda tensors: frozen(*tensors)

    twin.answer_with(torch, NAME, build)


def by_hand(value: bool) -> str:
    return "model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model.eval(), batch)))"
