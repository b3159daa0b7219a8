"""Whether a step fits, and the largest that does. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from narrows.memory.ledger import Rest
from narrows.memory.stream import Level

MOST = 1 << 24
"""Batches larger than this are not asked about."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a process takes beside a step's tensors, and how that goes with them."""

    fixed: int
    """Bytes of the framework."""
    files: int
    broken: float
    """Bytes that the heap wastes for each byte of tensors in it."""
    beyond: int = 0
    """Bytes of the limit's kind that are not memory in use: addresses without pages behind them, what the kernel keeps."""
    tables: float = 0.0
    """Bytes more of the limit's kind for each byte in use."""
    start: int = 0
    """Bytes in use before the first step, whatever its size: a job that reads all its data at once may need no more later."""

    def needed(self, step: Level) -> int:
        """What has to be there for a step."""
        return self.counted(self.used(step))

    def used(self, step: Level) -> int:
        """What the process takes for it."""
        return step.peak[0] + self.fixed + round(self.broken * step.small)

    def counted(self, used: int) -> int:
        """Bytes that the limit sees of so many in use in a step, or before the first."""
        used = max(used, self.start)
        return used + round(self.tables * used) + self.beyond

    def corrected(self, step: Level, used: int) -> "Frame":
        """So that this step takes so much."""
        waste = used - step.peak[0] - self.fixed
        if waste < 0 or not step.small:
            return replace(self, fixed=self.fixed + waste, broken=0.0)
        return replace(self, broken=waste / step.small)


def frame(step: Level, rest: Rest, beyond: int = 0, tables: float = 0.0) -> Frame:
    """From the step that was run."""
    small = step.small
    broken = rest.waste(step.peak[0]) / small if small else 0.0
    return Frame(fixed=rest.framework, files=rest.files, broken=broken, beyond=beyond, tables=tables, start=rest.start)


def largest(needed: Callable[[int], int], limit: int) -> int | None:
    """The largest size from 1 on that needs no more than the limit; None if not even 1 does. What is needed grows."""
    if needed(1) > limit:
        return None
    low, high = 1, 2
    while high <= MOST and needed(high) <= limit:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needed(middle) <= limit else (low, middle)
    return low
