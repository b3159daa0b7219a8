"""The collectives that the loop itself calls, outside of models and backwards: how long each line stands in them.

Costs about a microsecond beside a call that takes fifty or more. Start-up and disturbed steps are left out.
"""

from . import job, places

_seen: dict[tuple[str, str, int], list[int]] = {}
"""By collective, file and line: calls, nanoseconds in all, and the nanoseconds of each of the first calls."""
SAMPLES = 256


def note(name: str, ns: int) -> None:
    if places.learning or job.disturbed:
        return
    place = places.here()
    if place is None:
        return
    if not _seen:
        job.at_end.append(_tell)
    times = _seen.setdefault((name, str(place[0]), int(str(place[1]))), [0, 0])
    times[0] += 1
    times[1] += ns
    if len(times) < SAMPLES + 2:
        times.append(ns)


def _tell() -> None:
    """`seen`: [collective, file, line, calls, ns of all, ns of a call that hardly waits: the lower quartile]."""
    job.spool.event(
        "exchanges",
        seen=[
            [name, file, line, calls, spent, sorted(times)[len(times) // 4]]
            for (name, file, line), (calls, spent, *times) in _seen.items()
        ],
    )
