"""What a trial's spool says of its turns."""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from narrows.job.command import mask
from narrows.ledger.steady import steady
from narrows.ledger.steps import Step, steps
from narrows.report.build import trainers
from narrows.spool.record import Process
from narrows.trials.arm import Measured

PREFETCHED = 2
"""Batches by worker: torch's default."""
Turn = tuple[int, int]
"""(begin, end), nanoseconds of the spool's clock."""


def measured(
    processes: Sequence[Process], rank: int, peak: int, turns: Sequence[Turn], *, uneven: bool = False
) -> Measured | None:
    """None if there are too few steps to speak of. `peak`: bytes of memory. `uneven`: the job's steps are unlike each
    other, so that a remedy may change which of them is in the middle: only their mean tells."""
    mine = next((p for p in trainers(processes) if p.rank == rank), None)
    if mine is None:
        return None
    every = steps(mine.boundaries).steps
    # Of a job that was over before it had a turn, all of it is what there is.
    seen = within(every, turns)
    typical = steady(seen)
    whole = typical is None
    if typical is None:
        seen, typical = list(every), steady(every)
    if typical is None:
        return None
    # Workers that are too slow deliver in bursts: most steps have a batch at once, and a few wait for all of them, the
    # first of an epoch above all. Evaluations are not a part of what is compared.
    bursts = typical.block > 1 or ahead([mine]) > 0
    mean = statistics.fmean(step.seconds - step.state("evaluate") / 1e9 for step in seen[typical.first :])
    # What was seen from outside between turns may have missed the peak of a step; the kernel's own mark does not.
    memory = mine.last("memory")
    answers = mine.last("answers").get("answers", ())
    return Measured(
        seconds=mean if bursts or uneven else typical.median,
        samples=typical.samples,
        losses=tuple(map(float, mine.last("curve").get("losses", ()))),
        every=int(mine.last("curve").get("every", 1)),
        answers=tuple(tuple(map(float, answer)) for answer in answers) if not mine.last("curve").get("losses") else (),
        peak_bytes=max(peak, int(memory.get("rss_peak") or 0)),
        device_bytes=int(memory.get("device_peak") or 0),
        whole=whole,
        applied=frozenset(e["remedy"] for p in processes for e in p.events.get("applied", ())),
        not_applied={e["remedy"]: e["why"] for p in processes for e in p.events.get("not_applied", ())},
    )


def ahead(processes: Sequence[Process]) -> int:
    """Batches that the workers of a loader may have ready."""
    loaders = [e for p in processes for e in p.events.get("loader", ())]
    return max((e["workers"] * (e.get("prefetch") or PREFETCHED) for e in loaders if e["workers"]), default=0)


def within(every: Sequence[Step], turns: Sequence[Turn]) -> list[Step]:
    """The steps between the first turn's begin and the last one's end, in the process's own time: that in which it was
    held does not count. No step is left out, as the one in which it is held is more often a long one than not."""
    if not turns:
        return []
    first, last = turns[0][0], turns[-1][1]
    found = []
    for before, step in pairwise(every):
        if before.end_ns >= first and step.end_ns <= last:
            ran, passed = _ran(step.end_ns, turns) - _ran(before.end_ns, turns), step.end_ns - before.end_ns
            found.append(step if ran == passed else replace(step, ns=tuple(n * ran // passed for n in step.ns)))
    return found


def _ran(moment: int, turns: Sequence[Turn]) -> int:
    """Nanoseconds of all turns up to that moment."""
    return sum(min(moment, end) - begin for begin, end in turns if begin < moment)


def last_line(path: Path) -> str:
    """What the job said last, secrets masked."""
    try:
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return " ".join(mask(lines[-1][:200].split())) if lines else ""
