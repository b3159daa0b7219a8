"""cuDNN tries its algorithms for each shape, and keeps the fastest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "cudnn-benchmark"
CLASS = "exact"
TEXT = {
    "en": ("cuDNN tries its convolutions for each shape", "Rounding; the choice may differ from run to run."),
    "zh": ("cuDNN 为每种形状试选卷积算法", "舍入；每次运行的选择可能不同。"),
}
SAVED = 0.15
"""Of the convolutions' time that is above their limit."""
ONCE = r"cudnn|use_deterministic_algorithms"


def candidates(view: View) -> list[Candidate]:
    if not view.process.cuda or estimates.shapes_change(view):
        return []
    above = sum(max(0.0, k.seconds - k.limit) for k in view.kernels if k.cost.kind == "convolution")
    return [Candidate(value=True, seconds=SAVED * above)] if view.share(SAVED * above) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    def change() -> None:
        if not torch.backends.cudnn.benchmark:
            torch.backends.cudnn.benchmark = True
            within.note(NAME)

    torch.cuda._lazy_call(within.careful(NAME, change))  # where the job begins to use CUDA


def by_hand(value: bool) -> str:
    return "torch.backends.cudnn.benchmark = True"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.setting import setting

    return setting(source, "torch", by_hand(value), ONCE)
