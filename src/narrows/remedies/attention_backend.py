"""Attention on a CPU runs as two products and a softmax, instead of the one op that never writes the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.ledger.kernels import Kernel

NAME = "attention-backend"
CLASS = "exact"
TEXT = {
    "en": (
        "Attention on a CPU runs as two products and a softmax",
        "Rounding. Scores are written to memory, which grows with the square of the length.",
    ),
    "zh": ("CPU 上的注意力用两次矩阵乘和 softmax 计算", "舍入。分数会写入内存，随长度的平方增长。"),
}
PASSES = 6
"""Times that the scores are read or written, forward or backward: scale, mask and softmax are passes of their own."""
REACHED = 0.5
"""Of the ceiling, what batched products of this size reach."""
CALLS = 8
"""Ops instead of one."""
ONCE = r"enable_flash_sdp|sdpa_kernel|sdp_kernel"


def candidates(view: View) -> list[Candidate]:
    """The one op is made for long sequences; in short ones its backward runs at a fraction of the machine's speed."""
    flash = [k for k in view.kernels if k.name.startswith(estimates.FLASH) and k.calls]
    if view.process.cuda or not flash:
        return []
    saved = sum(k.seconds + k.fixed - _apart(k, view) for k in flash)
    return [Candidate(value="math", seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def _apart(kernel: Kernel, view: View) -> float:
    """Seconds of the same as ops of their own."""
    from narrows.ledger.kernels import bandwidth_at, peak_of

    backward = kernel.name.endswith("backward")
    batch, heads, length, width = kernel.op.arguments[1 if backward else 0].shape
    against = kernel.op.arguments[2 if backward else 1].shape[2]
    scores = batch * heads * length * against
    flops = (5 if backward else 2) * 2 * scores * width
    moved = PASSES * scores * 4
    each = flops / (REACHED * peak_of(kernel.cost, view.ceilings)) + moved / bandwidth_at(moved, view.ceilings)
    return float(kernel.calls * (each + CALLS * view.ceilings.dispatch_seconds))


def apply(torch: Any, value: str) -> None:
    # On a CPU too it is this switch, whatever its name says.
    torch.backends.cuda.enable_flash_sdp(False)
    within.note(NAME, backend=value)


def by_hand(value: str) -> str:
    return "torch.backends.cuda.enable_flash_sdp(False)  # on a CPU too it is this switch"


def edit(source: str, value: str) -> str | None:
    from narrows.edits.setting import setting

    return setting(source, "torch", "torch.backends.cuda.enable_flash_sdp(False)", ONCE)
