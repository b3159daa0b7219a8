"""Another batch size, without editing the script: loaders that have the one are given the other."""

import functools
import inspect
from typing import Any

from . import job


def change(torch: Any, old: int, new: int) -> None:
    """Each DataLoader and BatchSampler of size `old` is made with `new`, and so is what else a loader has its batches from."""
    from torch.utils.data import BatchSampler, DataLoader  # type: ignore[import-not-found,unused-ignore]

    for owner in (DataLoader, BatchSampler):
        _changed(owner, old, new)


def _changed(owner: Any, old: int, new: int) -> None:
    original = owner.__init__
    signature = inspect.signature(original)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        try:
            given = signature.bind(self, *args, **kwargs)
            if given.arguments.get("batch_size") == old:
                given.arguments["batch_size"] = new
                job.spool.event("batch_changed", old=old, new=new)
            sampler = given.arguments.get("batch_sampler")
            if sampler is not None and getattr(sampler, "batch_size", None) == old:
                sampler.batch_size = new
                job.spool.event("batch_changed", old=old, new=new)
            args, kwargs = given.args[1:], given.kwargs
        except Exception as error:
            job.quiet(error)
        original(self, *args, **kwargs)

    owner.__init__ = __init__
