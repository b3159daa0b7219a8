"""Leaves something out of the job: what a counterfactual child is for. In any other run this does nothing."""

import functools
from typing import Any

from .. import job
from ..once import FIRST as FEW
from ..once import first
from . import distributed

SAVE = -1
"""`torch.save` among the numbered statements."""
LEFT_OUT = ("all_reduce", "reduce", "broadcast", "barrier", "all_gather", "all_gather_into_tensor", "reduce_scatter",
            "reduce_scatter_tensor", "all_gather_single", "reduce_scatter_single")  # fmt: skip
"""Collectives that fill buffers which are there without them."""


def install(torch: Any) -> None:
    leave_out = {"input": _input, "host": _host, "communication": _communication}.get(job.settings.get("without", ""))
    if leave_out is not None:
        leave_out(torch)


class Replay:
    """Serves the kept batches, as many as the loader would."""

    def __init__(self, batches: list[Any], length: int | None) -> None:
        self.batches, self.length, self.served = batches, length, 0

    def __iter__(self) -> "Replay":
        return self

    def __len__(self) -> int:
        return self.length or 0

    def __next__(self) -> Any:
        if self.length is not None and self.served >= self.length:
            raise StopIteration
        self.served += 1
        job.batches += 1
        return self.batches[self.served % len(self.batches)]


def _input(torch: Any) -> None:
    from torch.utils.data import DataLoader  # type: ignore[import-not-found,unused-ignore]
    from torch.utils.data.dataloader import _BaseDataLoaderIter  # type: ignore[import-not-found,unused-ignore]

    original_next, original_iter = _BaseDataLoaderIter.__next__, DataLoader.__iter__
    kept: dict[int, list[Any]] = {}
    replays: dict[int, Replay] = {}

    @functools.wraps(original_iter)
    def __iter__(self: Any) -> Any:  # noqa: N807
        batches = kept.setdefault(id(self.dataset), [])
        if len(batches) >= FEW:
            return Replay(batches, _length(self))
        made = original_iter(self)
        replays[id(made)] = Replay(batches, _length(self))
        return made

    @functools.wraps(original_next)
    def __next__(self: Any) -> Any:  # noqa: N807
        replay = replays.get(id(self))
        if replay is None:
            return original_next(self)
        if len(replay.batches) >= FEW:
            return next(replay)
        batch = original_next(self)
        replay.served += 1
        replay.batches.append(batch)
        return batch

    _BaseDataLoaderIter.__next__, DataLoader.__iter__ = __next__, __iter__


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except Exception:
        return None


def _host(torch: Any) -> None:
    original = torch.save

    @functools.wraps(original)
    def save(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs) if first(SAVE) else None

    torch.save = save
    torch.serialization.save = save


class Done:
    """The handle of a collective that was not made."""

    def wait(self, timeout: Any = None) -> bool:
        return True

    def is_completed(self) -> bool:
        return True

    def is_success(self) -> bool:
        return True


def _communication(torch: Any) -> None:
    if not torch.distributed.is_available():
        return
    import torch.distributed.distributed_c10d as implementation  # type: ignore[import-not-found,unused-ignore]
    from torch.nn.parallel import DistributedDataParallel  # type: ignore[import-not-found,unused-ignore]

    distributed.wrap(torch.distributed, implementation, LEFT_OUT, _left_out)
    original_forward = DistributedDataParallel.forward

    @functools.wraps(original_forward)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if job.updates >= FEW:
            self.require_backward_grad_sync = self.require_forward_param_sync = False
        return original_forward(self, *args, **kwargs)

    DistributedDataParallel.forward = forward


def _left_out(original: Any) -> Any:
    """The collective while the job starts, and then nothing: its buffers keep what is in them."""

    @functools.wraps(original)
    def collective(*args: Any, **kwargs: Any) -> Any:
        if job.updates < FEW:
            return original(*args, **kwargs)
        return Done() if kwargs.get("async_op") else None

    return collective
