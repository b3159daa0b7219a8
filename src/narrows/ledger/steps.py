"""From boundaries to steps: which boundaries end a step, and what kind of job this is."""

import sys
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from narrows.ledger import stages
from narrows.spool.record import CALL, STATES, UPDATE, WAITS, Boundary

FEWEST = 3
"""Boundaries that make a job one that trains (or infers): one update alone is no loop."""
RAREST = 64
"""An optimizer stepped less than once in so many boundaries does not set the turn (a weekly average, an EMA)."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: the sum over its boundaries."""

    end_ns: int
    ns: tuple[int, ...]
    """By `STATES`."""
    disturbed: bool
    light: bool
    """How long it took is known, and nothing else."""
    gradients: bool
    training: bool
    samples: int
    forwards: int
    backwards: int
    batches: int

    @property
    def seconds(self) -> float:
        return sum(self.ns) / 1e9

    def state(self, name: str) -> int:
        return self.ns[STATES.index(name)]

    @property
    def waited(self) -> float:
        """Seconds that a rank waited for others."""
        return sum(self.state(name) for name in WAITS) / 1e9


@dataclass(frozen=True, kw_only=True)
class Steps:
    type: Literal["training", "inference", "none"]
    unit: str
    steps: tuple[Step, ...]
    per_step: float
    """Boundaries in a step: what counts from the deep windows are divided by."""
    spans: tuple[tuple[int, int], ...] = ()
    """(begin, end), nanoseconds: a deep window that ended in between saw whole steps of one of the stages that these are of."""

    def timed(self, first: int) -> list[Step]:
        """From that one on, those of which more is known than how long they took."""
        return [s for s in self.steps[first:] if not s.light]


def steps(boundaries: Sequence[Boundary]) -> Steps:
    """Group boundaries into steps.

    A step ends with the update of the optimizer that is stepped least often: of two that take turns (a GAN), the
    second; with five updates of a critic for one of a generator, the generator's. Of a job with several stages the steps
    are those of the longest one.
    """
    updates = [b for b in boundaries if b.kind == UPDATE]
    if len(updates) >= FEWEST:
        chosen = stages.main(stages.stages(updates), FEWEST)
        last = {_sets_the_turn(stage.updates) for stage in chosen}
        turns = _merge([b for b in boundaries if b.kind == UPDATE or b.end_ns < updates[0].end_ns], last, UPDATE)
        others = max(len(stage.optimizers) for stage in chosen)
        unit = "optimizer step" if others == 1 else f"turn of {others} optimizers"
        count = sum(len(stage.updates) for stage in chosen)
        return Steps(
            type="training", unit=unit, steps=turns, per_step=count / max(1, len(turns)),
            spans=tuple(_span(stage.updates, boundaries) for stage in chosen),
        )  # fmt: skip
    calls = [b for b in boundaries if b.kind == CALL]
    if len(calls) >= FEWEST:
        turns = _merge(calls, {_sets_the_turn(calls)}, CALL)
        others = len({b.who for b in calls})
        unit = "model call" if others == 1 else f"turn of {others} models"
        return Steps(type="inference", unit=unit, steps=turns, per_step=len(calls) / max(1, len(turns)))
    return Steps(type="none", unit="", steps=(), per_step=1.0)


def _span(updates: Sequence[Boundary], boundaries: Sequence[Boundary]) -> tuple[int, int]:
    """`updates`: those of a stage. What ended before the second one was open in what came before (a rollout whose
    calls looked like steps); the last window may end as late as the job."""
    after = bisect(boundaries, updates[-1].end_ns, key=lambda b: b.end_ns)
    return updates[:2][-1].end_ns, boundaries[after].end_ns if after < len(boundaries) else sys.maxsize


def _sets_the_turn(boundaries: Sequence[Boundary]) -> int:
    counts = Counter(b.who for b in boundaries)
    often = {who: n for who, n in counts.items() if n >= FEWEST and n * RAREST >= len(boundaries)}
    if not often:
        return boundaries[-1].who
    rarest = min(often.values())
    # Equal but for the turn that was cut off at the end: the one that came last in the first turn.
    return max(who for who, n in often.items() if n <= rarest + 1)


def _merge(boundaries: Sequence[Boundary], last: set[int], kind: int) -> tuple[Step, ...]:
    merged: list[Step] = []
    open_: list[Boundary] = []
    for boundary in boundaries:
        open_.append(boundary)
        if boundary.who in last and boundary.kind == kind:
            merged.append(_step(open_))
            open_ = []
    return tuple(merged)


def _step(parts: Sequence[Boundary]) -> Step:
    return Step(
        end_ns=parts[-1].end_ns,
        ns=tuple(sum(column) for column in zip(*(b.ns for b in parts), strict=True)),
        disturbed=any(b.disturbed for b in parts),
        light=any(b.light for b in parts),
        gradients=any(b.gradients for b in parts),
        training=any(b.training for b in parts),
        samples=sum(b.samples for b in parts),
        forwards=sum(b.forwards for b in parts),
        backwards=sum(b.backwards for b in parts),
        batches=sum(b.batches for b in parts),
    )
