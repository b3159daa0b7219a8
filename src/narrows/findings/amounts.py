"""How much data each rank is given: what findings about ranks that wait for each other start from."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from narrows.findings.view import View
from narrows.ledger.alignment import beside
from narrows.ledger.steps import Step
from narrows.spool.record import Process

UNEVEN = 0.05
"""Of what the fullest rank is given, above the mean: less is drowned by the noise of two processes' times."""
FEWEST = 8
"""Calls, or steps, of all ranks."""
EARLY = 48
"""Steps whose samples are counted in each (later ones only now and then)."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    ranks: tuple[Process, ...]
    rows: tuple[tuple[Step, ...], ...]
    """Steady steps that all ranks made together and undisturbed: that of each rank."""
    spare: float
    """Share of what the fullest rank of a call has that is above the mean, on average over the calls."""
    sums: tuple[int, ...]
    """What each rank has in all."""

    @property
    def fullest(self) -> int:
        """Index of the rank that has most in all."""
        return self.sums.index(max(self.sums))

    def explains(self, rank: int) -> float:
        """Seconds of a step by which this rank would be behind the next fullest one, for its data alone."""
        number = [process.rank for process in self.ranks].index(rank)
        others = [given for other, given in enumerate(self.sums) if other != number]
        if self.sums[number] <= max(others):
            return 0.0
        return statistics.median(work(row[number]) for row in self.rows) * (1 - max(others) / self.sums[number])


def amounts(view: View) -> Amounts | None:
    """None where ranks do not step together, hardly do so undisturbed, or have about the same."""
    ranks = (view.process, *view.others)
    lying = beside(ranks)
    if lying is None:
        return None
    early = lying.rows[1:EARLY]
    numbers = [[n for event in p.events.get("given", ()) for n in event["numbers"]] for p in ranks]
    samples = [[row[number].samples for row in early] for number in range(len(ranks))]
    spare, sums = max(map(_spare, (numbers, samples)), key=lambda pair: pair[0])
    if spare < UNEVEN:
        return None
    rows = tuple(row for row in lying.rows[view.steady.first :] if not any(step.disturbed for step in row))
    if len(rows) < FEWEST:
        return None
    return Amounts(ranks=ranks, rows=rows, spare=spare, sums=tuple(sums))


def work(step: Step) -> float:
    """Seconds that grow with the data."""
    return (step.state("forward") + step.state("backward")) / 1e9


def _spare(given: Sequence[Sequence[int]]) -> tuple[float, list[int]]:
    """`given`: how many numbers each rank's model was called with, call by call; or samples, step by step."""
    count = min(map(len, given))
    calls = [call for call in zip(*(each[:count] for each in given), strict=True) if max(call)]
    if len(calls) < FEWEST:
        return 0.0, [0] * len(given)
    spare = statistics.mean(1 - statistics.mean(call) / max(call) for call in calls)
    return spare, [sum(each) for each in zip(*calls, strict=True)]
