"""The largest size that fits, found by running it. Pure but for the runs, which it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field

from narrows.memory.capacity import Frame, largest
from narrows.memory.stream import Level

RUNS, CLOSE = 4, 1.05
"""Runs, at most, each at what was learned from the ones before; until a size that fits and one that does not are so near."""
AGAIN = 3
"""Runs more, of what is left: the same job takes a few percent more or less from run to run, and the largest of several
sizes that happened to fit is a lucky one. So the size is taken at which the worst of all runs would still fit."""
MARGIN = 0.25
"""Of how far the runs lie apart, beyond the worst of them: the next one may be the worst."""
Measure = Callable[[int], int | None]
"""What the job takes at a size, in bytes, measured with nothing followed; None where it cannot be."""


@dataclass
class Found:
    """What was learned."""

    around: Frame
    largest: int | None
    """None: not even one fits."""
    used: dict[int, int] = field(default_factory=dict)
    """Bytes in use, the most of several runs."""

    @property
    def measured(self) -> dict[int, int]:
        """Bytes needed: with what the limit counts besides."""
        return {size: self.around.counted(used) for size, used in self.used.items()}


def by_running(step: Callable[[int], Level], around: Frame, limit: int, end: int, run: Measure) -> Found:
    """`step`: at a size, as modelled; `end`: no size is as large (there is no more data)."""
    found = Found(around=around, largest=largest(lambda at: around.needed(step(at)), limit))
    for _ in range(RUNS):
        at = _next(found, limit, end)
        if at is None or not _measure(found, at, step, run):
            break
        found.largest = _modelled(found, step, limit)
    if found.measured:
        _confirm(found, step, limit, end, run)
    return found


def _confirm(found: Found, step: Callable[[int], Level], limit: int, end: int, run: Measure) -> None:
    """Run what the worst of all runs leaves, again and again; each may be the worst yet."""
    for _ in range(AGAIN):
        found.largest = _safe(found, step, limit, end)
        if found.largest is None or not _measure(found, found.largest, step, run):
            break
    most = _safe(found, step, limit, end)
    near = [size for size, taken in found.measured.items() if taken <= limit and size <= (most or 0) <= CLOSE * size]
    # Where the last run made it smaller once more: what was run a little below.
    found.largest = max(near, default=most)


def _safe(found: Found, step: Callable[[int], Level], limit: int, end: int) -> int | None:
    """The largest size that fits even if it takes more than modelled by what the worst of the runs did, and a bit."""
    off = [taken / found.around.needed(step(size)) for size, taken in found.measured.items()]
    worst = max(off) + MARGIN * (max(off) - min(off))
    most = largest(lambda at: round(worst * found.around.needed(step(at))), limit)
    return min(most, end - 1) if most is not None else None


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
    found.used[at] = max(taken, found.used.get(at, 0))
    found.around = found.around.corrected(step(at), found.used[at])
    return True
