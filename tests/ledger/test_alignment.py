"""Ranks laid side by side: by their steps' ends, whatever their clocks show and however many steps each has."""

from dataclasses import replace

from narrows.ledger.alignment import Alignment, align, beside, undisturbed
from narrows.ledger.steps import steps
from narrows.spool.record import Boundary, Process
from tests.fakes import MS, boundary, process

UNEVEN = [10.0 + (7 * i % 5) for i in range(40)]
"""Milliseconds of steps that are never alike for long."""


def marks(durations: list[float], *, since: float = 0.0) -> tuple[Boundary, ...]:
    made, now = [], since
    for spent in durations:
        now += spent
        made.append(boundary(now, forward=spent))
    return tuple(made)


def rank(number: int, made: tuple[Boundary, ...], **start: object) -> Process:
    return replace(process(made, start={"host": "a", **start}), rank=number, ranks=2)


def test_ranks_that_are_alike_lie_as_they_are() -> None:
    mine = steps(marks(UNEVEN)).steps
    assert align(mine, mine) == Alignment(shift=0, offset_ns=0, spread_ns=0)


def test_a_rank_that_has_more_steps_at_its_beginning_is_shifted() -> None:
    mine, other = marks(UNEVEN), marks([3.0, 3.0, *UNEVEN], since=-6.0)
    found = align(steps(mine).steps, steps(other).steps)
    assert found == Alignment(shift=2, offset_ns=0, spread_ns=0)
    lying = beside([rank(0, mine), rank(1, other)])
    assert lying is not None
    assert lying.shifts == (0, 2)
    assert [(a.end_ns, b.end_ns) for a, b in lying.rows] == [(b.end_ns, b.end_ns) for b in mine]


def test_a_rank_that_ended_early_has_fewer_rows() -> None:
    lying = beside([rank(0, marks(UNEVEN)), rank(1, marks(UNEVEN[:30]))])
    assert lying is not None
    assert (lying.shifts, len(lying.rows)) == ((0, 0), 30)


def test_clocks_of_two_machines_are_told_apart_from_steps() -> None:
    hours = 3600e3 * 5
    mine, other = marks(UNEVEN), marks([3.0, *UNEVEN], since=hours - 3.0)
    lying = beside([rank(0, mine), rank(1, other, host="b")])
    assert lying is not None
    assert (lying.shifts, lying.offsets_ns) == ((0, 1), (0, int(hours * MS)))


def test_even_steps_of_two_machines_are_counted_from_the_start() -> None:
    lying = beside([rank(0, marks([10.0] * 20)), rank(1, marks([10.0] * 20, since=5e6), host="b")])
    assert lying is not None
    assert (lying.shifts, lying.offsets_ns) == ((0, 0), (0, int(5e6 * MS)))


def test_ranks_that_do_not_wait_for_each_other_are_not_laid_side_by_side() -> None:
    assert beside([rank(0, marks([10.0] * 40)), rank(1, marks([16.0] * 40))]) is None
    assert beside([rank(0, marks(UNEVEN))]) is None
    assert beside([rank(0, marks(UNEVEN)), rank(1, ())]) is None


def test_a_step_that_was_looked_into_on_one_rank_is_disturbed_on_all() -> None:
    mine = list(marks(UNEVEN))
    mine[7] = replace(mine[7], disturbed=True)
    # Its steps have two boundaries: a model call that was no step of its own, and the update.
    other = marks([3.0, *UNEVEN], since=-3.0)
    first, second = undisturbed([rank(0, tuple(mine)), rank(1, other)])
    assert [i for i, b in enumerate(first.boundaries) if b.disturbed] == [7]
    assert [i for i, b in enumerate(second.boundaries) if b.disturbed] == [8]
    assert sum(b.duration_ns for b in second.boundaries) == sum(b.duration_ns for b in other)
