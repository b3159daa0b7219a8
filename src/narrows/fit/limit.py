"""What the job may take on this machine: the narrowest of the limits that hold for it."""

import resource
from dataclasses import dataclass
from typing import Literal

from narrows.machine import hardware

Kind = Literal["asked", "address_space", "data", "cgroup", "machine", "device"]


@dataclass(frozen=True, kw_only=True)
class Limit:
    bytes: int
    kind: Kind


def limit(asked: int, device: int = 0) -> Limit:
    """`asked`: bytes that the user gave; 0: none. `device`: bytes of the device that the job computes on; 0: it has none."""
    if asked:
        return Limit(bytes=asked, kind="asked")
    if device:
        return Limit(bytes=device, kind="device")
    found = [Limit(bytes=hardware.memory_bytes(), kind="machine")]
    kinds: tuple[tuple[int, Kind], ...] = ((resource.RLIMIT_AS, "address_space"), (resource.RLIMIT_DATA, "data"))
    for number, kind in kinds:
        soft, _ = resource.getrlimit(number)
        if soft != resource.RLIM_INFINITY:
            found.append(Limit(bytes=soft, kind=kind))
    return min(found, key=lambda each: each.bytes)
