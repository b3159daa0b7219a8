"""Time that the step loses because the workers that make its batches have the cores.

A batch that is ready in time can still be dearly bought: on a machine with few cores the workers' work slows the
step down instead of making it wait. The kernel says how long the training process could have run and did not.
"""

from collections.abc import Sequence

from narrows.job.watch import Sample
from narrows.ledger.build import Entry

SLOWED = ("compute", "bandwidth", "overhead", "host")


def waited_share(samples: Sequence[Sample], pid: int, since: int, until: int) -> float:
    """Share of the time from `since` to `until` (ns) that the process waited for a core; 0 if it was not seen.

    Threads of one parallel region wait for each other, so what any of them waits, all wait: the waits add up, but
    not to more than the time there was.
    """
    seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
    if len(seen) < 2:
        return 0.0
    span = seen[-1].at_ns - seen[0].at_ns
    return min(1.0, max(0, seen[-1].waited_ns - seen[0].waited_ns) / span) if span else 0.0


def busy(samples: Sequence[Sample], pids: Sequence[int], since: int, until: int) -> float:
    """Cores that these processes kept busy."""
    total = 0.0
    for pid in pids:
        seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
        if len(seen) >= 2:
            total += (seen[-1].ran_ns - seen[0].ran_ns) / (seen[-1].at_ns - seen[0].at_ns)
    return total


def charge(parts: Sequence[Entry], share: float) -> tuple[Entry, ...]:
    """Move this share of the step from what was slowed to `input`, whose workers slowed it."""
    step = sum(p.seconds for p in parts)
    slowed = sum(p.seconds for p in parts if p.cause in SLOWED)
    if not slowed or share <= 0:
        return tuple(parts)
    part = min(0.9, share * step / slowed)
    kept = [
        Entry(cause=p.cause, seconds=p.seconds * (1 - part), state=p.state, where=p.where) if p.cause in SLOWED else p
        for p in parts
    ]
    return (*kept, Entry(cause="input", seconds=slowed * part, state="contention"))
