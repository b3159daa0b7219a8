"""The collectives that the loop itself calls, outside of models and backwards: how long each line stands in them.

Costs about a microsecond beside a call that takes fifty or more. Start-up and disturbed steps are left out.
"""

from typing import Any

from . import job, places

SAMPLES = 256


class Place:
    """One line's calls of one collective."""

    def __init__(self) -> None:
        self.calls = self.ns = 0
        self.first: list[int] = []
        """Nanoseconds of each of the first calls."""
        self.longest = 0
        """Of each step's longest call, summed up: the one in which a rank waits for another that is late."""
        self.step, self.longest_now = -1, 0

    def add(self, ns: int, step: int) -> None:
        self.calls += 1
        self.ns += ns
        if step != self.step:
            self.longest += self.longest_now
            self.step, self.longest_now = step, ns
        elif ns > self.longest_now:
            self.longest_now = ns
        if len(self.first) < SAMPLES:
            self.first.append(ns)

    def tell(self) -> list[int]:
        """[calls, ns of all, of a call that hardly waits (the lower quartile), of all but the longest of each step]"""
        longest = self.longest + self.longest_now
        return [self.calls, self.ns, sorted(self.first)[len(self.first) // 4], self.ns - longest]


_seen: dict[tuple[Any, ...], Place] = {}


def note(name: str, ns: int) -> None:
    if places.learning or job.disturbed:
        return
    place = places.here()
    if place is None:
        return
    if not _seen:
        job.at_end.append(_tell)
    key = (name, place[0], place[1])
    known = _seen.get(key)
    if known is None:
        known = _seen[key] = Place()
    known.add(ns, job.updates)


def _tell() -> None:
    job.spool.event("exchanges", seen=[[*key, *place.tell()] for key, place in _seen.items()])
