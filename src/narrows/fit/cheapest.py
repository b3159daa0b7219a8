"""The cheapest set of remedies with which a job fits. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Way = tuple[str, bool | int]
"""A remedy and its setting."""
Need = Callable[[Sequence[Way]], int | None]
"""Bytes that the job needs with all of these; None if that cannot be told."""
FREE = 0.01
"""Share of the time. What costs less than this costs nothing that is seen."""
LEAST = 0.01
"""Share of what is needed: a remedy that saves less than this beside others makes no room."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    ways: tuple[Way, ...]
    needed: int


def cheapest(alone: Mapping[Way, int], times: Mapping[Way, float], now: int, limit: int, need: Need) -> Chosen | None:
    """`alone`: bytes that the job needs with each; `times`: of a step with it, over that without; `now`: bytes without
    any. One that is enough by itself comes before several; else what saves most for its time, and so on. None if there
    is nothing that saves. What it needs may still be more than the limit: then it is the least that was found."""
    chosen: tuple[Way, ...] = ()
    known = dict(alone)
    while known and now > limit:
        fitting = [way for way, bytes_ in known.items() if bytes_ <= limit]
        saving = [way for way, bytes_ in known.items() if now - bytes_ > LEAST * now]
        if fitting:
            best = min(fitting, key=lambda way: (_cost(way, times), known[way]))
        elif saving:
            best = max(saving, key=lambda way: (now - known[way]) / _cost(way, times))
        else:
            break
        chosen, now = (*chosen, best), known[best]
        if now <= limit:
            break
        others = [way for way in alone if all(way[0] != taken[0] for taken in chosen)]
        found = {way: need((*chosen, way)) for way in others}
        known = {way: bytes_ for way, bytes_ in found.items() if bytes_ is not None}
    return Chosen(ways=chosen, needed=now) if chosen else None


def _cost(way: Way, times: Mapping[Way, float]) -> float:
    """Share of the time; what is not known is taken to cost nothing that is seen."""
    return max(FREE, times.get(way, 1.0) - 1)
