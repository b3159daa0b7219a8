"""Time that the step loses because what works for it in the background has the cores.

A batch that is ready in time can still be dearly bought: on a machine with few cores the workers' work slows the
step down instead of making it wait. So do the threads that carry gradients to other ranks. The kernel says how long
the training process could have run and did not.
"""

import statistics
from collections.abc import Callable, Sequence

from narrows.job.watch import Sample
from narrows.ledger.build import Entry
from narrows.ledger.steady import Steady
from narrows.report.model import Cause
from narrows.spool.record import STATES, Process

OWN = ("prepare", "forward", "loss", "backward", "post", "optimizer", "tail")
"""States in which the training process works itself ..."""
ONCE = ("post", "optimizer", "tail")
"""... and those that come once in a step, whatever number of batches it takes."""
FEWEST_ALONE = 4
"""Batches: a median of fewer is one bad step."""
EXCHANGING = ("forward", "backward")
"""States in which gradients (and with FSDP parameters) are carried between ranks beside the step's own work."""
SLOWED = ("compute", "bandwidth", "overhead", "host")


def growth(samples: Sequence[Sample], pid: int, since: int, until: int, count: Callable[[Sample], int]) -> float:
    """By how much a count of the process grew from `since` to `until` (ns), over that time; 0 if it was not seen."""
    seen = [s for s in samples if s.pid == pid and since <= s.at_ns <= until]
    if len(seen) < 2 or seen[-1].at_ns == seen[0].at_ns:
        return 0.0
    return (count(seen[-1]) - count(seen[0])) / (seen[-1].at_ns - seen[0].at_ns)


def waited_share(samples: Sequence[Sample], pid: int, since: int, until: int) -> float:
    """Share of the time that the process waited for a core.

    Threads of one parallel region wait for each other, so what one of them waits, all wait. How much of their waits
    falls together is not known; what the one that waited most did is the least that it can be.
    """
    return min(1.0, max(0.0, growth(samples, pid, since, until, lambda s: s.most_waited_ns)))


def main_waited_share(samples: Sequence[Sample], pid: int, since: int, until: int) -> float:
    """Share of the time that the process's main thread waited for a core."""
    return min(1.0, max(0.0, growth(samples, pid, since, until, lambda s: s.main_waited_ns)))


def main_held_back(samples: Sequence[Sample], pid: int) -> float:
    """Seconds for which the process's main thread waited for a core, as far as it was watched."""
    seen = [s.main_waited_ns for s in samples if s.pid == pid]
    return (seen[-1] - seen[0]) / 1e9 if seen else 0.0


def taken_by_others(samples: Sequence[Sample], process: Process, cores: int, since: int, until: int) -> float:
    """Share of the time in which the process wanted a core that something outside of the job had.

    0 where the job has more threads than there are cores: then its threads wait for each other, too.
    """
    rest = {s.pid for s in samples} - {process.pid}
    own = (process.threads or 1) + process.last("alone").get("producers", 0)
    wanted = own + busy(samples, sorted(rest), since, until)
    return waited_share(samples, process.pid, since, until) if wanted <= cores else 0.0


def busy(samples: Sequence[Sample], pids: Sequence[int], since: int, until: int) -> float:
    """Cores that these processes kept busy."""
    return sum(growth(samples, pid, since, until, lambda s: s.ran_ns) for pid in pids)


def helpers_busy(samples: Sequence[Sample], pids: Sequence[int], since: int, until: int) -> float:
    """Cores that the other threads of these processes kept busy."""
    return sum(max(0.0, growth(samples, pid, since, until, lambda s: s.ran_ns - s.main_ran_ns)) for pid in pids)


def slowdown(process: Process, steady: Steady, per_step: float) -> float | None:
    """Share of the step that it would save, outside of the loader, if nothing made batches beside it.

    From steps during which the makers paused; `per_step` is how many boundaries a step has. None if too few were seen.
    """
    ratios = []
    looks = process.events.get("alone", ())
    batches = per_step * sum(e["batches"] for e in looks) / max(1, sum(e["boundaries"] for e in looks))
    for event in looks:
        for ns in event["ns"]:
            alone = expected = 0.0
            for state, spent in zip(STATES, ns, strict=True):
                if state in OWN and spent:
                    alone += spent / 1e9
                    expected += steady.seconds[state] / (1.0 if state in ONCE else max(1.0, batches))
            if expected:
                ratios.append(alone / expected)
    if len(ratios) < FEWEST_ALONE:
        return None
    saved = min(0.9, max(0.0, 1 - statistics.median(ratios)))
    return saved * sum(steady.seconds[state] for state in OWN) / steady.median


def charge(
    parts: Sequence[Entry], share: float, cause: Cause, states: Sequence[str] | None = None
) -> tuple[Entry, ...]:
    """Move this share of the step from what was slowed to the cause that slowed it. `states`: those during which that was
    at work; None: all."""

    def suffers(part: Entry) -> bool:
        return part.cause in SLOWED and (states is None or part.state in states)

    step = sum(p.seconds for p in parts)
    slowed = sum(p.seconds for p in parts if suffers(p))
    if not slowed or share <= 0:
        return tuple(parts)
    part = min(0.9, share * step / slowed)
    kept = [
        Entry(cause=p.cause, seconds=p.seconds * (1 - part), state=p.state, where=p.where) if suffers(p) else p
        for p in parts
    ]
    return (*kept, Entry(cause=cause, seconds=slowed * part, state="contention"))
