"""The compiled model is recorded once, and replayed with one launch per call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import compilation

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "cuda-graphs"
CLASS = "exact"
TEXT = {
    "en": (
        "The model is compiled and replayed as a CUDA graph",
        "As for compile. Memory of a graph is kept between calls, and an answer is overwritten by the next call's.",
    ),
    "zh": ("编译模型并以 CUDA 图重放", "同 compile。图的显存在两次调用之间保留，输出会被下一次调用覆盖。"),
}
LEFT = 0.1
"""Of the overhead: one launch, and copying the inputs to where the graph reads them."""


def candidates(view: View) -> list[Candidate]:
    if not view.process.cuda or not compilation.possible(view) or estimates.shapes_change(view):
        return []
    overhead = estimates.spent(view, "overhead")
    more = (compilation.LEFT_OF_OVERHEAD - LEFT) * overhead
    saved = compilation.saving(view) + more
    return [Candidate(value=True, seconds=saved)] if view.share(more) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    compilation.compile_outermost(torch, NAME, device="cuda", mode="reduce-overhead")


def by_hand(value: bool) -> str:
    return 'model.compile(mode="reduce-overhead")'
