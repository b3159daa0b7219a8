"""Samples by their length: how long each is, and batches of those that are alike."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from . import within
from .drawn import Drawn

MOST_SECONDS = 5e-4
"""For a sample, on average: one that takes longer is not made only to see its length."""
FEW = 32
"""Samples that are made before that is known, and for the look at what becomes of a batch of them."""


class Costly(Exception):
    pass


class Lengths:
    """How long each sample is. Kept, once seen."""

    def __init__(self, torch: Any, dataset: Any) -> None:
        self.torch, self.dataset = torch, dataset
        self.known: dict[Any, int] = {}
        self.spent = 0.0

    def of(self, indices: Sequence[Any]) -> list[int]:
        """Raises `Costly`, and what the dataset raises."""
        missing = [i for i in indices if i not in self.known]
        if missing:
            before = Drawn(self.torch)
            try:
                for index in missing:
                    began = perf_counter()
                    self.known[index] = length(self.torch, self.dataset[index])
                    self.spent += perf_counter() - began
                    if len(self.known) >= FEW and self.spent > MOST_SECONDS * len(self.known):
                        raise Costly(f"a sample takes {self.spent / len(self.known) * 1e3:.1f} ms")
            finally:
                before.undo()
        return [self.known[i] for i in indices]


def length(torch: Any, sample: Any) -> int:
    """Of the first thing in a sample that is a sequence. Raises `TypeError` if there is none."""
    if hasattr(sample, "shape") and len(sample.shape):
        return int(sample.shape[0])
    if hasattr(sample, "values") and callable(sample.values):
        sample = tuple(sample.values())
    elif isinstance(sample, (str, bytes)) or (
        isinstance(sample, list) and all(isinstance(item, (int, float, str)) for item in sample)
    ):
        return len(sample)
    if isinstance(sample, (tuple, list)):
        for item in sorted(sample, key=lambda item: isinstance(item, (str, bytes))):  # a name or an id comes last
            try:
                return length(torch, item)
            except TypeError:
                pass
    raise TypeError("a sample holds no sequence")


def pads(torch: Any, collate: Any, lengths: Lengths, indices: Sequence[Any]) -> bool:
    """Whether a batch is as long as its longest sample: of the shortest of a few samples, it is shorter."""
    few = list(indices[:: max(1, len(indices) // FEW)][:FEW])
    order = sorted(zip(lengths.of(few), few, strict=True))
    if order[0][0] == order[-1][0]:
        return False
    before = Drawn(torch)
    try:
        short, long = (
            _shapes(torch, collate([lengths.dataset[i], lengths.dataset[i]])) for _, i in (order[0], order[-1])
        )
    finally:
        before.undo()
    return any(len(a) > 1 and a[1] < b[1] for a, b in zip(short, long, strict=True) if len(a) == len(b))


def _shapes(torch: Any, batch: Any) -> list[Any]:
    if isinstance(batch, torch.Tensor):
        return [tuple(batch.shape)]
    if hasattr(batch, "values") and callable(batch.values):
        batch = tuple(batch.values())
    return [shape for item in batch for shape in _shapes(torch, item)] if isinstance(batch, (tuple, list)) else []


def sampler(torch: Any, original: Any, lengths: Lengths, pool: int) -> Any:
    """A batch sampler that takes the original's samples, as many batches at a time as `pool` says, and gives them sorted
    into batches, which come in any order. The samples of a last, smaller batch stay where they are."""

    class Buckets(torch.utils.data.BatchSampler):  # type: ignore[misc,name-defined,unused-ignore]
        sorts = True

        def __iter__(self) -> Iterator[list[Any]]:
            order, size = iter(self.sampler), self.batch_size
            while True:
                taken = list(itertools.islice(order, pool * size))
                full = len(taken) // size * size
                yield from self.batches(taken[:full])
                if full < len(taken) and not self.drop_last:
                    yield taken[full:]
                if len(taken) < pool * size:
                    return

        def batches(self, indices: list[Any]) -> list[list[Any]]:
            size = self.batch_size
            if self.sorts and indices:
                try:
                    by_length = dict(zip(indices, lengths.of(indices), strict=True))
                    indices = sorted(indices, key=by_length.__getitem__)
                except Exception as error:
                    self.sorts = False
                    within.fault("length-bucketing", error)
            found = [indices[i : i + size] for i in range(0, len(indices), size)]
            if self.sorts:
                # From the samples themselves: the job's own random numbers stay as they are.
                random.Random(repr(indices[:size])).shuffle(found)
            return found

    return Buckets(original.sampler, original.batch_size, original.drop_last)
