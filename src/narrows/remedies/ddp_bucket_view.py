"""Gradients are views into the buckets that they are exchanged in."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "ddp-bucket-view"
CLASS = "exact"
ROOM = (True,)
RANKS = True
TEXT = {
    "en": (
        "Gradients are views into the buckets that they are exchanged in",
        "Nothing in the results. A script that keeps a gradient from one step to the next finds the next one in it.",
    ),
    "zh": ("梯度直接是交换桶的视图", "结果不变。若脚本把某一步的梯度保留到下一步，读到的是下一步的梯度。"),
}
COPIES = 2
"""Times that the gradients are moved less: read in one place, written in the other."""


def candidates(view: View) -> list[Candidate]:
    parallel = estimates.parallel(view)
    if not parallel or parallel.get("bucket_view"):
        return []
    saved = COPIES * max(parallel["bytes"], estimates.exchanged(view)) / view.ceilings.bandwidth
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if not given["gradient_as_bucket_view"]:
            given["gradient_as_bucket_view"] = True
            within.note(NAME)

    if exchange.wrapped(torch) is not None:
        exchange.arguments(torch, NAME, change)
        _detach(torch)


def _detach(torch: Any) -> None:
    """Torch refuses to detach a view in place. Of a gradient there is nothing to detach it from."""
    original = torch.Tensor.detach_

    @functools.wraps(original)
    def detach_(self: Any) -> Any:
        plain = self._is_view() and self.grad_fn is None and not self.requires_grad
        return self if plain else original(self)

    torch.Tensor.detach_ = detach_


def by_hand(value: bool) -> str:
    return "model = DistributedDataParallel(model, gradient_as_bucket_view=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.parallel import parallel

    return parallel(source, "gradient_as_bucket_view", "True")
