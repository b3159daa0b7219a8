"""The ceilings of the link between the ranks of a job: measured by processes of this machine, fitted, and cached."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from narrows.machine import cache as caches
from narrows.machine.child import Progress, bench
from narrows.report.model import Link

PATIENCE = 120.0
MOST_RANKS = 16
"""More processes than that are not started only to measure."""

Points = Sequence[tuple[int, float]]
"""(bytes, seconds)."""


def links(
    python: str,
    ranks: int,
    version: str,
    backend: str = "gloo",
    *,
    cache: Path | None = None,
    refresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, Link] | None:
    """By kind of collective, between so many processes here: from the cache, or measured in some seconds.

    None if it could not be measured: the backend needs devices that are not there, or there are too many ranks.
    """
    if not 2 <= ranks <= MOST_RANKS:
        return None
    path = caches.place(f"links-{backend}-{ranks}r", version, 1, cache)
    known = _known(path)
    if known is not None and not refresh:
        return known
    done = bench(python, ["--ranks", str(ranks), "--backend", backend], seconds=PATIENCE, progress=progress)
    found = parse(done.text, ranks, backend) if done.status == 0 else None
    if found is None:
        return known
    found = {kind: best(link, (known or {}).get(kind)) for kind, link in found.items()}
    caches.save(path, msgspec.json.encode(found))
    return found


def _known(path: Path) -> dict[str, Link] | None:
    try:
        return msgspec.json.decode(caches.load(path) or b"", type=dict[str, Link])
    except msgspec.DecodeError:
        return None


def best(one: Link, other: Link | None) -> Link:
    """The faster of two measurements, size by size: what a machine did once, it can do."""
    before = dict(other.by_size) if other is not None else {}
    seen = [(size, min(seconds, before.get(size, seconds))) for size, seconds in one.by_size]
    return _link(seen, one.ranks, one.backend)


def parse(text: str, ranks: int, backend: str) -> dict[str, Link] | None:
    """What `bench --ranks` printed, fitted; None if it printed something else."""
    lines = text.strip().splitlines()
    try:
        points = msgspec.json.decode(lines[-1] if lines else "", type=dict[str, list[tuple[int, float]]])
    except msgspec.DecodeError:
        return None
    if not points or any(len(seen) < 2 for seen in points.values()):
        return None
    return {kind: _link(seen, ranks, backend) for kind, seen in points.items()}


def _link(points: Points, ranks: int, backend: str) -> Link:
    seen = rising(points)
    latency, bandwidth = fit(seen)
    return Link(ranks=ranks, backend=backend, latency_seconds=latency, bandwidth=bandwidth, by_size=seen)


def rising(points: Points) -> list[tuple[int, float]]:
    """The points by size, none of them above one of a larger message: what that took, a smaller one can do."""
    made: list[tuple[int, float]] = []
    for size, seconds in sorted(points, reverse=True):
        made.append((size, min(seconds, made[-1][1]) if made else seconds))
    return made[::-1]


def fit(points: Points) -> tuple[float, float]:
    """(seconds of latency, bytes per second) of seconds = latency + bytes / bandwidth, by least squares on the relative
    error, as a message of a kilobyte counts as much as one of sixteen megabytes. Neither is below 0.

    The model is Hockney's (The communication challenge for MPP, Parallel Computing 20, 1994).
    """
    # Weighted by 1 / seconds, both sides: minimise sum((a u + b v - 1)^2) with u = 1 / seconds, v = bytes / seconds.
    every = [(1 / seconds, size / seconds) for size, seconds in points if seconds > 0]
    uu, uv, vv = sum(u * u for u, _ in every), sum(u * v for u, v in every), sum(v * v for _, v in every)
    su, sv = sum(u for u, _ in every), sum(v for _, v in every)
    determinant = uu * vv - uv * uv
    latency = (su * vv - sv * uv) / determinant if determinant > 0 else 0.0
    each = (uu * sv - uv * su) / determinant if determinant > 0 else 0.0
    if latency < 0:
        latency, each = 0.0, sv / vv
    if each <= 0:  # no more bytes took no more time: faster than could be seen
        latency, each = su / uu, 0.0
    return latency, 1 / each if each > 0 else max((size / seconds for size, seconds in points), default=1.0)
