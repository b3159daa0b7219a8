"""What a rank's model is called with while it trains: whether all ranks are given the same, and whether as much.

A fingerprint of the first few calls, and how many numbers came with each of the first dozens.
"""

from typing import Any
from zlib import crc32

from . import job, shards

LOOKS = 4
"""Calls that are looked at: ranks that read the same data in the same order are told by one, by chance by none."""
COUNTED = 64
"""Calls whose numbers are counted, for ranks that are given the same share on average and not in each step."""
SAMPLE = 1 << 12
"""Elements of a tensor, spread over all of it: the borders of pictures and the ends of sentences are alike."""

wanted = 0
"""Calls that are still to be looked at; none in a job of one process."""
several = False
"""The job has other ranks."""
_counts: list[int] = []


def start() -> None:
    global wanted, several
    wanted, several = COUNTED, True
    _counts.clear()


def note(args: Any, kwargs: Any) -> None:
    global wanted
    wanted -= 1
    try:
        given = _tensors([*args, *kwargs.values()])
        if COUNTED - wanted <= LOOKS:
            job.spool.event("inputs", seen=[fingerprint(each) for each in given])
        _counts.append(sum(each.numel() for each in given))
        if len(_counts) % 16 == 0:
            job.spool.event("given", numbers=_counts[-16:])
    except Exception as error:
        job.quiet(error)


def _tensors(values: Any) -> list[Any]:
    found = []
    for value in values:
        if isinstance(value, job.torch.Tensor):
            found.append(shards.local(value))
        elif isinstance(value, (list, tuple)):
            found.extend(_tensors(value))
        elif hasattr(value, "values") and callable(value.values):
            found.extend(_tensors(value.values()))
    return found[:8]


def fingerprint(value: Any) -> list[Any]:
    """[shape, checksum of some of its numbers]."""
    torch = job.torch
    flat = value.detach().reshape(-1)
    few = flat[:: max(1, flat.numel() // SAMPLE)].cpu().contiguous()
    return [list(value.shape), crc32(bytes(few.view(torch.uint8).tolist()))]
