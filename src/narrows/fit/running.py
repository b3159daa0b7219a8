"""The largest size that fits, found by running it. Pure but for the runs, which it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field

from narrows.fit.line import Line, line
from narrows.memory.capacity import Frame, largest
from narrows.memory.stream import Level

RUNS, CLOSE = 4, 1.05
"""Runs, at most, each at what was learned from the ones before; until a size that fits and one that does not are so near."""
AGAIN = 3
"""Runs more, of what is left: the same job takes a few percent more or less from run to run, and the largest of several
sizes that happened to fit is a lucky one. So the size is taken at which the worst of all runs would still fit."""
MARGIN = 0.5
"""Of how far the runs lie apart, beyond the worst of them: the next one may be the worst. With runs that lie 0.3% to 2% apart
(standard deviation), six runs and this margin, 94% of the sizes found run three times of three (with half of it, 85%)."""
NOISE = 0.2
"""Of the limit: runs that are farther from it tell of the model's shape, and not of how far runs lie apart."""
SURE = 0.8
"""Of the limit: where all that there is needs less as modelled, it is not run."""
Measure = Callable[[int], int | None]
"""What the job takes at a size, in bytes, measured with nothing followed; None where it cannot be."""


@dataclass(kw_only=True)
class Found:
    """What was learned."""

    step: Callable[[int], Level]
    """At a size, as modelled."""
    around: Frame
    limit: int
    end: int
    """No size is as large (there is no more data)."""
    now: int
    """The size at which the frame was measured."""
    largest: int | None = None
    """None: not even one fits. Where all that there is fits, it may be more than that."""
    runs: list[tuple[int, int]] = field(default_factory=list)
    """(Size, bytes in use), in order."""

    @property
    def measured(self) -> dict[int, int]:
        """Bytes needed, the most of several runs, with what the limit counts besides."""
        found: dict[int, int] = {}
        for size, used in self.runs:
            found[size] = max(self.around.counted(used), found.get(size, 0))
        return found

    def used(self, size: int) -> int:
        """Bytes in use, as they are to be expected."""
        return self._taken(size, self._line(size) if size != self.now else None)

    def expected(self, size: int) -> int:
        """Bytes needed."""
        return self.measured.get(size) or self.around.counted(self.used(size))

    def fitting(self) -> int | None:
        """The largest size that fits, by what is known near it."""
        return self._largest(self._line(self.largest), 0.0)

    def safe(self) -> int | None:
        """The largest that fits even if it takes more by what the worst of the runs did, and a bit."""
        known = self._line(self.largest)
        near = [run for run in self.runs if abs(run[1] / self.limit - 1) <= NOISE] or self.runs
        off = [used / self._taken(size, known) - 1 for size, used in near]
        return self._largest(known, max(off) + MARGIN * (max(off) - min(off)))

    def _largest(self, known: Line | None, more: float) -> int | None:
        return largest(lambda size: self.around.counted(round((1 + more) * self._taken(size, known))), self.limit)

    def _line(self, near: int | None) -> Line | None:
        """From a step's tensors to what the process takes, near a size. None where nothing was run: then the heap's waste is
        that of the job as it is, which jumps where blocks become large enough for pages of their own."""
        if not self.runs:
            return None
        runs = [(self.now, self.around.used(self.step(self.now))), *self.runs]
        return line([(self._peak(size), used) for size, used in runs], self._peak(near or self.now))

    def _taken(self, size: int, known: Line | None) -> int:
        return round(known.at(self._peak(size))) if known is not None else self.around.used(self.step(size))

    def _peak(self, size: int) -> int:
        return self.step(size).peak[0]


def by_running(
    step: Callable[[int], Level], around: Frame, limit: int, now: int, end: int, run: Measure,
) -> Found:  # fmt: skip
    """Runs sizes near the limit, in bytes, until the largest is known that fits; what is given is told at `Found`."""
    found = Found(step=step, around=around, limit=limit, end=end, now=now)
    found.largest = found.fitting()
    for _ in range(RUNS):
        at = _next(found)
        if at is None or not _measure(found, at, run):
            break
        found.largest = found.fitting()
    if found.runs:
        _confirm(found, run)
    return found


def _confirm(found: Found, run: Measure) -> None:
    """Run what the worst of all runs leaves, again and again; each may be the worst yet."""
    for _ in range(AGAIN):
        found.largest = found.safe()
        if found.largest is None or not _measure(found, min(found.largest, found.end - 1), run):
            break
    most = found.safe()
    found.largest = most
    if most is not None and most < found.end:
        near = [size for size, need in found.measured.items() if need <= found.limit and size <= most <= CLOSE * size]
        # Where the last run made it smaller once more: what was run a little below.
        found.largest = max(near, default=most)


def _next(found: Found) -> int | None:
    """The size to run; None if enough is known."""
    measured, end = found.measured, found.end
    fits = [size for size, need in measured.items() if need <= found.limit]
    low = max(fits, default=0)
    high = min((size for size, need in measured.items() if need > found.limit), default=end)
    at = found.largest
    if at is not None and at >= end and not measured:
        return end - 1 if found.expected(end - 1) > SURE * found.limit else None
    if at is None or (measured and high <= max(low + 1, CLOSE * low)):
        return None
    if measured and not low < at < high:
        # Where none has failed yet: just so far above that it may fail, then farther and farther.
        farther = max(low + 1, int(low * CLOSE**2 ** (len(fits) - 1)))
        at = (low + high) // 2 if high < end else min(farther, end - 1)
    return at if at not in measured and 0 < at < end else None


def _measure(found: Found, at: int, run: Measure) -> bool:
    """Run it, and learn from it. False if it cannot be run."""
    taken = run(at)
    if taken is None:
        return False
    found.runs.append((at, taken))
    return True
