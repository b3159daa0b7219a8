"""The ceilings of this machine: measured by a child with the job's interpreter, and cached."""

import time
from pathlib import Path
from typing import Any

import msgspec

from narrows.machine import cache as caches
from narrows.machine import hardware
from narrows.machine.child import Progress, bench, torch_version
from narrows.report.model import Ceilings
from narrows.report.record import Record

__all__ = ["Measured", "best", "ceilings", "measure", "measured", "torch_version"]

PATIENCE = 120.0
"""Seconds after which the child is given up: on a busy machine everything takes longer."""
BUSY = 0.1
"""Share of the time that threads waited for a core: what was measured then may be too low ..."""
RECENT = 600.0
"""... and is used for so many seconds; then it is measured again, and the better of the two kept."""


class Measured(Record, frozen=True, kw_only=True):
    """What the cache keeps."""

    ceilings: Ceilings
    busy: float
    """Share of the time that the threads which measured waited for a core."""
    at: float
    """Seconds since the epoch."""

    @property
    def doubtful(self) -> bool:
        return self.busy >= BUSY


def ceilings(
    python: str,
    threads: int,
    version: str | None = None,
    *,
    cache: Path | None = None,
    refresh: bool = False,
    progress: Progress | None = None,
) -> Ceilings | None:
    """This machine's ceilings with so many threads, measured with that interpreter; None if it has no torch."""
    found = measured(python, threads, version, cache=cache, refresh=refresh, progress=progress)
    return found.ceilings if found is not None else None


def measured(
    python: str,
    threads: int,
    version: str | None = None,
    *,
    cache: Path | None = None,
    refresh: bool = False,
    progress: Progress | None = None,
) -> Measured | None:
    """From the cache if this machine, this torch and this number of threads are in it, else measured: up to 20 s.

    `cache` is a folder (default: `narrows` in the user's cache); `version` is torch's, if the caller knows it.
    """
    version = version or torch_version(python)
    if version is None:
        return None
    path = caches.place("ceilings", version, threads, cache)
    known = _known(path)
    if known is not None and not refresh and (not known.doubtful or time.time() - known.at < RECENT):
        return known
    found = measure(python, threads, progress=progress)
    if found is None:
        return known
    if known is not None and (found.doubtful or not refresh):
        found = msgspec.structs.replace(found, ceilings=best(found.ceilings, known.ceilings))
    caches.save(path, msgspec.json.encode(found))
    return found


def measure(
    python: str, threads: int, *, seconds: float = 0.0, largest: int = 0, progress: Progress | None = None
) -> Measured | None:
    """Measure now. `seconds` is how long to try and `largest` the largest working set in MiB; 0: as is usual."""
    most = largest or max(1, min(512, (hardware.memory_bytes() >> 20) // 8 or 512))
    words = ["--threads", str(threads), "--seconds", str(seconds), "--largest", str(most)]
    done = bench(python, words, seconds=PATIENCE, progress=progress)
    lines = done.text.strip().splitlines()
    if done.status != 0 or not lines:
        return None
    try:
        # The last line is ours: somebody's sitecustomize may print, too.
        values = msgspec.json.decode(lines[-1], type=dict[str, Any])
        busy = float(values.pop("busy", 0.0))
        found = msgspec.convert(values, Ceilings)
    except (msgspec.MsgspecError, TypeError, ValueError):
        return None
    return Measured(ceilings=found, busy=busy, at=time.time()) if found.flops and found.bandwidth > 0 else None


def best(one: Ceilings, other: Ceilings) -> Ceilings:
    """The higher of two measurements, figure by figure: what a machine did once, it can do."""
    sizes = dict(other.bandwidth_by_size)
    return msgspec.structs.replace(
        one,
        flops={k: max(v, other.flops.get(k, 0.0)) for k, v in one.flops.items()},
        convolution={k: max(v, other.convolution.get(k, 0.0)) for k, v in one.convolution.items()},
        bandwidth=max(one.bandwidth, other.bandwidth),
        read_bandwidth=max(one.read_bandwidth, other.read_bandwidth),
        bandwidth_by_size=[(size, max(rate, sizes.get(size, 0.0))) for size, rate in one.bandwidth_by_size],
        dispatch_seconds=min(one.dispatch_seconds, other.dispatch_seconds),
        page_touch_seconds=min(one.page_touch_seconds, other.page_touch_seconds),
        page_release_seconds=min(one.page_release_seconds, other.page_release_seconds),
        disk_read=max((r for r in (one.disk_read, other.disk_read) if r is not None), default=None),
    )


def _known(path: Path) -> Measured | None:
    try:
        return msgspec.json.decode(caches.load(path) or b"", type=Measured)
    except msgspec.DecodeError:
        return None
