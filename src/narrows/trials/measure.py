"""What a trial's spool says of its turns."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from narrows.job.command import mask
from narrows.ledger.steady import Steady, steady
from narrows.ledger.steps import Step, steps
from narrows.report.build import trainers
from narrows.spool.record import Process
from narrows.trials.arm import Measured

Turn = tuple[int, int]
"""(begin, end), nanoseconds of the spool's clock."""


def measured(processes: Sequence[Process], rank: int, peak: int, turns: Sequence[Turn]) -> Measured | None:
    """None if there are too few steps to speak of. `peak`: bytes of memory."""
    mine = next((p for p in trainers(processes) if p.rank == rank), None)
    if mine is None:
        return None
    typical = _typical(steps(mine.boundaries).steps, turns)
    if typical is None:
        return None
    answers = mine.last("answers").get("answers", ())
    return Measured(
        seconds=typical.median,
        samples=typical.samples,
        losses=tuple(map(float, mine.last("curve").get("losses", ()))),
        answers=tuple(tuple(map(float, answer)) for answer in answers) if not mine.last("curve").get("losses") else (),
        peak_bytes=peak,
        applied=frozenset(e["remedy"] for p in processes for e in p.events.get("applied", ())),
        not_applied={e["remedy"]: e["why"] for p in processes for e in p.events.get("not_applied", ())},
    )


def _typical(every: Sequence[Step], turns: Sequence[Turn]) -> Steady | None:
    """Of the steps within turns; of a job that was over before it had one, of all."""
    return (steady(within(every, turns)) if turns else None) or steady(every)


def within(every: Sequence[Step], turns: Sequence[Turn]) -> list[Step]:
    """The steps that began and ended in one turn. The one in which a process was held is not among them."""
    begins = [begin for begin, _ in turns]
    found = []
    for before, step in pairwise(every):
        at = bisect_right(begins, before.end_ns) - 1
        if at >= 0 and step.end_ns <= turns[at][1]:
            found.append(step)
    return found


def last_line(path: Path) -> str:
    """What the job said last, secrets masked."""
    try:
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return " ".join(mask(lines[-1][:200].split())) if lines else ""
