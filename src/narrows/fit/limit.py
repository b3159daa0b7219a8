"""What the job may take on this machine: the narrowest of the limits that hold for it."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass

from narrows.machine import hardware
from narrows.report.capacity import FitKind


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Of one process of the job."""

    bytes: int
    kind: FitKind
    ranks: int = 1
    """Ranks of the job that share what there is: `bytes` are the share of one."""


def limit(asked: int, device: int = 0, ranks: int = 1) -> Limit:
    """`asked`: bytes that the user gave; 0: none. `device`: bytes of the device that the job computes on; 0: it has none.
    `ranks`: of the job on this machine: its memory they share, and each has a device of its own."""
    if device:
        return Limit(bytes=asked or device, kind="asked" if asked else "device")
    if asked:
        return _shared(asked, "asked", ranks)
    return min(_here(ranks), key=lambda each: each.bytes)


def _here(ranks: int) -> Iterator[Limit]:
    own, group = hardware.physical_bytes(), hardware.group_bytes()
    if own or not group:
        yield _shared(own, "machine", ranks)
    if group:
        yield _shared(group, "cgroup", ranks)
    kinds: tuple[tuple[int, FitKind], ...] = ((resource.RLIMIT_AS, "address_space"), (resource.RLIMIT_DATA, "data"))
    for number, kind in kinds:
        soft, _ = resource.getrlimit(number)
        if soft != resource.RLIM_INFINITY:
            yield Limit(bytes=soft, kind=kind)


def _shared(size: int, kind: FitKind, ranks: int) -> Limit:
    return Limit(bytes=size // ranks, kind=kind, ranks=ranks)
