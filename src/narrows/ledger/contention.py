"""Time that the step loses because what works for it in the background has the cores.

A batch that is ready in time can still be dearly bought: on a machine with few cores the workers' work slows the
step down instead of making it wait. So do the threads that carry gradients to other ranks. The kernel says how long
the training process could have run and did not.
"""

from collections.abc import Sequence

from narrows.job.watch import Sample
from narrows.ledger.build import Entry
from narrows.report.model import Cause

SLOWED = ("compute", "bandwidth", "overhead", "host")


def waited_share(samples: Sequence[Sample], pid: int, since: int, until: int) -> float:
    """Share of the time from `since` to `until` (ns) that the process waited for a core; 0 if it was not seen.

    Threads of one parallel region wait for each other, so what one of them waits, all wait. How much of their waits
    falls together is not known; what the one that waited most did is the least that it can be.
    """
    seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
    if len(seen) < 2:
        return 0.0
    span = seen[-1].at_ns - seen[0].at_ns
    return min(1.0, max(0, seen[-1].most_waited_ns - seen[0].most_waited_ns) / span) if span else 0.0


def busy(samples: Sequence[Sample], pids: Sequence[int], since: int, until: int) -> float:
    """Cores that these processes kept busy."""
    total = 0.0
    for pid in pids:
        seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
        if len(seen) >= 2:
            total += (seen[-1].ran_ns - seen[0].ran_ns) / (seen[-1].at_ns - seen[0].at_ns)
    return total


def main_waited_share(samples: Sequence[Sample], pid: int, since: int, until: int) -> float:
    """Share of the time that the process's main thread waited for a core; 0 if it was not seen."""
    seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
    if len(seen) < 2:
        return 0.0
    span = seen[-1].at_ns - seen[0].at_ns
    return min(1.0, max(0, seen[-1].main_waited_ns - seen[0].main_waited_ns) / span) if span else 0.0


def helpers_busy(samples: Sequence[Sample], pids: Sequence[int], since: int, until: int) -> float:
    """Cores that the other threads of these processes kept busy."""
    total = 0.0
    for pid in pids:
        seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
        if len(seen) >= 2:
            first, last = seen[0], seen[-1]
            ran = (last.ran_ns - last.main_ran_ns) - (first.ran_ns - first.main_ran_ns)
            total += max(0, ran) / (last.at_ns - first.at_ns)
    return total


def charge(parts: Sequence[Entry], share: float, cause: Cause) -> tuple[Entry, ...]:
    """Move this share of the step from what was slowed to the cause that slowed it."""
    step = sum(p.seconds for p in parts)
    slowed = sum(p.seconds for p in parts if p.cause in SLOWED)
    if not slowed or share <= 0:
        return tuple(parts)
    part = min(0.9, share * step / slowed)
    kept = [
        Entry(cause=p.cause, seconds=p.seconds * (1 - part), state=p.state, where=p.where) if p.cause in SLOWED else p
        for p in parts
    ]
    return (*kept, Entry(cause=cause, seconds=slowed * part, state="contention"))
