"""What ranks wait for, exactly: on fakes of which every number is known."""

from dataclasses import replace

import pytest

from narrows.ledger.ranks import Together, together
from narrows.spool.record import Boundary, Line, Process
from tests.fakes import boundary, line, process, window

STEPS = 41
"""The first is start-up; of the others half is kept."""
STEP = {"next": 1.0, "forward": 3.0, "backward": 4.0, "optimizer": 1.0}
EXCHANGE = 0.5


def job(*extra: list[dict[str, float]], lines: tuple[tuple[Line, ...], ...] = ()) -> list[Process]:
    """Ranks that do the same, and `extra[rank][step]` milliseconds by state beyond it; in the backward each waits for the
    slowest, and then all exchange."""
    made = []
    for rank, own in enumerate(extra):
        marks: list[Boundary] = []
        now = 0.0
        for step in range(STEPS):
            work = [sum(STEP.values()) + sum(other[step % len(other)].values()) for other in extra]
            states = dict(STEP)
            for state, more in own[step % len(own)].items():
                states[state] = states.get(state, 0.0) + more
            states["wait"] = states.get("wait", 0.0) + max(work) - work[rank] + EXCHANGE
            now += max(work) + EXCHANGE
            marks.append(boundary(now, **states))
        windows = [window("lines", lines=lines[rank])] if lines else []
        made.append(replace(process(tuple(marks), *windows), rank=rank, ranks=len(extra), pid=rank + 1))
    return made


def found(ranks: list[Process]) -> Together:
    made = together(ranks)
    assert made is not None
    return made


def ms(*seconds: float) -> list[float]:
    return [round(1e3 * each, 6) for each in seconds]


def test_ranks_that_are_alike_wait_for_the_exchange_only() -> None:
    made = found(job([{}], [{}]))
    assert ms(made.exchange, *(r.waiting for r in made.ranks), *(r.cost for r in made.ranks)) == [0.5, 0, 0, 0, 0]
    assert [r.excess for r in made.ranks] == [None, None]


def test_a_straggler_in_input_is_named_with_the_line() -> None:
    slow = line(12, 7.0, state="next", role="sample", file="data.py")
    same = line(5, 1.0, state="next", role="sample", file="data.py")
    made = found(job([{}], [{"next": 6.0}], lines=((same,), (same, slow))))
    assert ms(made.exchange, *(r.waiting for r in made.ranks), *(r.cost for r in made.ranks)) == [0.5, 6, 0, 0, 6]
    assert made.critical == 1
    assert made.slowest is made.ranks[1]
    assert [r.slowest for r in made.ranks] == [0, 1]
    more = made.ranks[1].excess
    assert more is not None
    assert (more.state, more.where, *ms(more.seconds)) == ("next", ("data.py", 12), 6.0)


def test_workers_that_are_slow_are_found_where_they_make_a_sample() -> None:
    ranks = job([{}], [{"next": 6.0}])
    ranks[1] = replace(ranks[1], events={**ranks[1].events, "loader": ({"sample": ["data.py", 3, "__getitem__"]},)})
    more = found(ranks).ranks[1].excess
    assert more is not None
    assert more.where == ("data.py", 3)


def test_a_line_of_the_loop_that_one_rank_alone_runs_is_named() -> None:
    same = line(30, 2.0)
    made = found(job([{"tail": 5.0}], [{}], [{}], lines=((same, line(31, 5.0)), (same,), (same,))))
    assert ms(*(r.waiting for r in made.ranks), made.ranks[0].cost) == [0, 5, 5, 5]
    more = made.ranks[0].excess
    assert more is not None
    assert (more.state, more.where) == ("tail", ("train.py", 31))


def test_the_second_slowest_bounds_what_the_slowest_costs() -> None:
    made = found(job([{"forward": 5.0}], [{"forward": 4.0}], [{}]))
    assert ms(*(r.cost for r in made.ranks)) == [1, 0, 0], "without the slowest, all wait for the second"
    assert ms(*(r.waiting for r in made.ranks)) == [0, 1, 5]


def test_ranks_that_are_slow_in_turn_wait_for_each_other() -> None:
    made = found(job([{"forward": 4.0}, {}], [{}, {"forward": 4.0}]))
    assert ms(made.exchange, *(r.waiting for r in made.ranks), *(r.cost for r in made.ranks)) == [0.5, 2, 2, 0, 0]
    assert [r.slowest for r in made.ranks] == [0.5, 0.5]
    assert [r.excess for r in made.ranks] == [None, None]


def test_a_straggler_among_ranks_that_vary_costs_what_it_does_more_and_not_what_they_vary() -> None:
    """It takes 3 ms more in each step, and the other 4 ms more in each second one: with 1 ms less it would be as fast, and half
    of the steps would be that much shorter."""
    made = found(job([{"forward": 3.0}], [{}, {"forward": 4.0}]))
    assert ms(*(r.cost for r in made.ranks)) == [0.5, 0]


def test_steps_that_one_rank_was_looked_into_do_not_count() -> None:
    ranks = job([{}], [{}])
    marks = list(ranks[0].boundaries)
    for step in range(10, 16):
        marks[step] = replace(marks[step], disturbed=True)
    ranks[0] = replace(ranks[0], boundaries=tuple(marks))
    assert found(ranks).steps <= STEPS - 6


@pytest.mark.parametrize("count", [1, 2])
def test_one_rank_or_two_steps_are_not_laid_side_by_side(count: int) -> None:
    ranks = job([{}], [{}])
    assert together(ranks[:1]) is None
    short = [replace(p, boundaries=p.boundaries[:count]) for p in ranks]
    assert together(short) is None
