"""Batches of padded sequences are made of samples of similar length."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import buckets, datasets, serving, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "length-bucketing"
CLASS = "training"
TEXT = {
    "en": (
        "Batches are made of samples of similar length",
        "Every sample still comes once in an epoch, but which ones share a batch depends on their length, so the gradients "
        "of a batch lean towards long or short ones. Each sample is made once more in the first epoch, to see its length.",
    ),
    "zh": (
        "每批由长度相近的样本组成",
        "每轮中每个样本仍只出现一次，但同批的样本由长度决定，因此一批的梯度会偏向长样本或短样本。"
        "第一轮中每个样本会多生成一次，以得知其长度。",
    ),
}
POOLS = (50,)
"""Batches that are sorted together."""
LEFT = 0.2
"""Of the padding, what remains."""


def candidates(view: View) -> list[Candidate]:
    from narrows.findings.padding_waste import MUCH, part

    size = view.process.first("loader").get("batch_size") or 0
    padded = part(view)
    # Where shapes stay as they are, batches are padded to a length of their own.
    if not estimates.trains(view) or size < 2 or padded <= MUCH or not estimates.shapes_change(view):
        return []
    spent = view.steady.seconds
    saved = (1 - LEFT) * padded * (spent["forward"] + spent["backward"])
    return [Candidate(value=pool, seconds=saved) for pool in POOLS]


def apply(torch: Any, value: int) -> None:
    seen: Any = weakref.WeakSet()
    original = torch.utils.data.DataLoader.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        if self not in seen:
            seen.add(self)
            within.careful(NAME, change)(self)
        return original(self)

    def change(loader: Any) -> None:
        data = torch.utils.data
        if datasets.streams(torch, loader.dataset) or not serving.shuffles(torch, loader):
            return
        if loader.batch_size < 2 or loader.collate_fn is data.default_collate or not torch.is_grad_enabled():
            return
        if type(loader.sampler) not in (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler):
            raise RuntimeError("the samples come in an order of the job's own")
        lengths = buckets.Lengths(torch, loader.dataset)
        if not buckets.pads(torch, loader.collate_fn, lengths, range(len(loader.dataset))):
            raise RuntimeError("batches are not as long as their longest sample")
        # Past what the loader allows to be set: all else of it stays as the script made it.
        vars(loader)["batch_sampler"] = buckets.sampler(torch, loader.batch_sampler, lengths, value)
        within.note(NAME, dataset=type(loader.dataset).__name__, batch_size=loader.batch_size)

    torch.utils.data.DataLoader.__iter__ = __iter__


def by_hand(value: int) -> str:
    return (
        f"pool = torch.randperm(len(data))[:{value} * batch_size]  # and so on\n"
        "batches = pool[[len(data[i]) for i in pool].sort()].split(batch_size)\n"
        "DataLoader(data, batch_sampler=shuffled(batches))"
    )
