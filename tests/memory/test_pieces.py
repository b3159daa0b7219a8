from dataclasses import replace

import pytest

from narrows.memory.pieces import pieces
from narrows.memory.predict import Unlike, model
from narrows.memory.stream import Storage, Stream
from tests.memory.streams import site, storage, stream

ROW, BATCH, ACTIVATION, GRADIENT = 40, 41, 44, 60
"""Lines."""


def at(line: int, size: int, state: str = "forward") -> Storage:
    return Storage(bytes=size, site=site(state, line=line), kind=0)


def gathered(samples: int, *, square: int = 0) -> Stream:
    """A row for each sample, put together and dropped; then an activation, whose backward needs as much again."""
    rows = range(10, 10 + samples)
    storages = {1: storage(100, "tail", kind=1), 2: at(BATCH, 10 * samples), 3: at(ACTIVATION, 30 * samples)}
    storages |= {4: at(GRADIENT, 30 * samples + square * samples**2, "backward")}
    storages |= {n: at(ROW, 10, "prepare") for n in rows}
    return stream((1,), (*rows, 2, *(-n - 1 for n in rows), 3, 4, -5, -4, -3), storages)


def over_time(steps: int) -> Stream:
    """In each step a new state, which is kept, and something that is not; the backward frees a state in each."""
    states, passing = range(10, 10 + steps), range(1000, 1000 + steps)
    storages = {n: at(ACTIVATION, 50) for n in states} | {n: at(ROW, 5) for n in passing}
    storages |= {2000 + n: at(GRADIENT, 7, "backward") for n in range(steps)}
    events: list[int] = []
    for state, other in zip(states, passing, strict=True):
        events += [other, state, -other - 1]
    for n, state in enumerate(reversed(states)):
        events += [2000 + n, -state - 1, -(2000 + n) - 1]
    return stream((), tuple(events), storages)


def test_these_steps_do_not_do_the_same() -> None:
    for made in (gathered, over_time):
        with pytest.raises(Unlike):
            model({4: made(4), 8: made(8)})


@pytest.mark.parametrize("square", [0, 3])
def test_a_loop_over_samples(square: int) -> None:
    fitted = pieces({n: gathered(n, square=square) for n in (4, 8, 16)})
    for samples in (2, 8, 100, 500):
        assert fitted.at(samples).peak[0] == gathered(samples, square=square).peak[0]
        assert fitted.at(samples).small == fitted.at(samples).peak[0]


def test_a_loop_over_time() -> None:
    fitted = pieces({n: over_time(n) for n in (8, 16, 32)})
    for steps in (8, 100, 400):
        assert fitted.at(steps).peak[0] == over_time(steps).peak[0]


def test_the_peak_moves_to_another_piece() -> None:
    def made(n: int) -> Stream:
        rows = range(10, 10 + n)
        storages = {1: at(BATCH, 1000), **{row: at(ROW, 10) for row in rows}}
        return stream((), (1, -2, *rows, *(-row - 1 for row in rows)), storages)

    fitted = pieces({n: made(n) for n in (4, 8, 16)})
    assert fitted.at(50).peak[0] == 1000
    assert fitted.at(300).peak[0] == 3000


def test_what_large_blocks_take_is_not_in_the_heap() -> None:
    def made(n: int) -> Stream:
        rows = range(10, 10 + n)
        return stream((), (1, *rows), {1: at(BATCH, 1 << 30), **{row: at(ROW, 10) for row in rows}})

    assert pieces({4: made(4), 8: made(8)}).at(100).small == 1000


def test_another_branch_is_refused() -> None:
    one, other = gathered(4), gathered(8)
    elsewhere = replace(other, storages={**other.storages, 4: at(99, 240, "backward")})
    with pytest.raises(Unlike):
        pieces({4: one, 8: elsewhere})
    with pytest.raises(Unlike):
        pieces({4: one, 8: stream((1,), (), {1: storage(100, "tail", kind=1)})})
