"""Stages of a job: pretraining and then training, one fold after the other. Pure.

Optimizers that take turns are of one stage; one that comes after another has ended begins a new one.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from narrows.spool.record import Boundary

BESIDE = 0.2
"""Share of the shorter one's updates that two optimizers must have beside each other to be of one stage."""
ALIKE = 1.25
"""Stages whose steps take so many times as long, at most, do the same: folds, an optimizer made anew in each epoch."""


@dataclass(frozen=True)
class Stage:
    updates: tuple[Boundary, ...]

    @property
    def optimizers(self) -> frozenset[int]:
        return frozenset(b.who for b in self.updates)

    @property
    def seconds(self) -> float:
        """Without its first update, before which everything was got ready."""
        return sum(b.duration_ns for b in self.updates[1:]) / 1e9

    @property
    def typical(self) -> float:
        return statistics.median(b.duration_ns for b in self.updates)


def stages(updates: Sequence[Boundary]) -> list[Stage]:
    """In order. Updates of an optimizer are all of one stage."""
    spans: dict[int, tuple[int, int]] = {}
    for at, update in enumerate(updates):
        first, _ = spans.get(update.who, (at, at))
        spans[update.who] = first, at
    groups: list[tuple[set[int], int, int]] = []
    for who, (first, last) in sorted(spans.items(), key=lambda item: item[1]):
        if groups:
            others, begin, end = groups[-1]
            if min(last, end) - first + 1 > BESIDE * min(last - first + 1, end - begin + 1):
                groups[-1] = others | {who}, begin, max(last, end)
                continue
        groups.append(({who}, first, last))
    return [Stage(tuple(u for u in updates if u.who in whos)) for whos, _, _ in groups]


def main(found: Sequence[Stage], fewest: int) -> list[Stage]:
    """That in which most of the time went, and those like it. None with fewer updates, unless all have."""
    long = [stage for stage in found if len(stage.updates) >= fewest] or list(found)
    most = max(long, key=lambda stage: stage.seconds)
    return [stage for stage in long if stage is most or _alike(stage, most)]


def _alike(one: Stage, other: Stage) -> bool:
    low, high = sorted((one.typical, other.typical))
    return len(one.optimizers) == len(other.optimizers) and high <= ALIKE * low
