"""What a DataLoader's iterator gives, passed on in another way."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Callable
from types import FrameType
from typing import Any


class Served:
    """A loader's iterator with something before it; all that is not asked of this one is asked of that."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def __iter__(self) -> Served:
        return self

    def __len__(self) -> int:
        return len(self._batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def __next__(self) -> Any:
        return next(self._batches)


def instead(torch: Any, serve: Callable[[Any, Any], Any]) -> None:
    """Let `serve(loader, batches)` give what iterating over each loader gives, from what it would have given."""
    loader_class = torch.utils.data.DataLoader
    original = loader_class.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        return serve(self, original(self))

    loader_class.__iter__ = __iter__


def shuffles(torch: Any, loader: Any) -> bool:
    """It gives batches to learn from, made by torch's own batch sampler: those in order are an evaluation."""
    data = torch.utils.data
    # A loader that is given a batch sampler has no batch size.
    mine = isinstance(loader.batch_sampler, data.BatchSampler) and loader.batch_size is not None
    return bool(mine) and not isinstance(loader.sampler, data.SequentialSampler)


def in_a_for(frame: FrameType | None) -> bool:
    """Whether a batch is asked for by a `for`, through generators (tqdm's) too. Who calls `next()` counts the batches:
    a loop of so many steps, or a trainer."""
    while frame is not None:
        at = dis.opname[frame.f_code.co_code[frame.f_lasti]]
        if at not in ("FOR_ITER", "SEND", "YIELD_VALUE", "RESUME"):
            return False
        if not frame.f_code.co_flags & inspect.CO_GENERATOR:
            return True
        frame = frame.f_back
    return False
