"""The largest size that fits, found by running it. Pure but for the runs, which it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field

from narrows.memory.capacity import Frame, largest
from narrows.memory.stream import Level

RUNS, CLOSE = 6, 1.05
"""Runs, at most, each at what was learned from the ones before; until a size that fits and one that does not are so near."""
AGAIN = 2
"""Runs more, of what is left: the same job takes a few percent more or less from run to run, and the largest of several
sizes that happened to fit is a lucky one."""
Measure = Callable[[int], int | None]
"""What the job takes at a size, in bytes, measured with nothing followed; None where it cannot be."""


@dataclass
class Found:
    """What was learned."""

    around: Frame
    largest: int | None
    """None: not even one fits."""
    measured: dict[int, int] = field(default_factory=dict)
    """Bytes needed, the most of several runs."""


def by_running(step: Callable[[int], Level], around: Frame, limit: int, end: int, run: Measure) -> Found:
    """`step`: at a size, as modelled; `end`: no size is as large (there is no more data)."""
    found = Found(around=around, largest=largest(lambda at: around.needed(step(at)), limit))
    for _ in range(RUNS):
        at = _next(found, limit, end)
        if at is None or not _measure(found, at, step, run):
            break
        found.largest = _modelled(found, step, limit)
    for _ in range(AGAIN):
        best = max((size for size, taken in found.measured.items() if taken <= limit), default=None)
        if best is None or not _measure(found, best, step, run):
            break
        if found.measured[best] > limit:  # it had been lucky: the next smaller one that should fit
            smaller = min(_modelled(found, step, limit) or 1, best - 1)
            if smaller < 1 or (smaller not in found.measured and not _measure(found, smaller, step, run)):
                break
    if found.measured:
        found.largest = max((size for size, taken in found.measured.items() if taken <= limit), default=None)
    return found


def _next(found: Found, limit: int, end: int) -> int | None:
    """The size to run; None if enough is known."""
    fits = [size for size, taken in found.measured.items() if taken <= limit]
    low = max(fits, default=0)
    high = min((size for size, taken in found.measured.items() if taken > limit), default=end)
    at = found.largest
    if at is None or (found.measured and high <= max(low + 1, CLOSE * low)):
        return None
    if found.measured and not low < at < high:
        # Where none has failed yet: just so far above that it may fail, then farther and farther.
        farther = max(low + 1, int(low * CLOSE**2 ** (len(fits) - 1)))
        at = (low + high) // 2 if high < end else min(farther, end - 1)
    return at if at not in found.measured and 0 < at < end else None


def _modelled(found: Found, step: Callable[[int], Level], limit: int) -> int | None:
    return largest(lambda at: found.around.needed(step(at)), limit)


def _measure(found: Found, at: int, step: Callable[[int], Level], run: Measure) -> bool:
    """Run it, and learn from it. False if it cannot be run."""
    taken = run(at)
    if taken is None:
        return False
    found.measured[at] = max(taken + found.around.beyond, found.measured.get(at, 0))
    found.around = found.around.corrected(step(at), found.measured[at])
    return True
