"""The state machine, on its own clock's differences: every nanosecond is in exactly one state."""

from collections.abc import Iterator

import pytest

from narrows.probe import state


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock that moves by 10 at each reading."""
    now = iter(range(0, 10**9, 10))
    monkeypatch.setattr(state, "clock", lambda: next(now))
    state.restart()
    yield
    monkeypatch.undo()
    state.restart()


def test_a_plain_step() -> None:
    for enter, leave in ((state.NEXT, state.PREPARE), (state.FORWARD, state.LOSS), (state.BACKWARD, state.POST)):
        state.enter(enter)
        state.leave(leave)
    state.enter(state.OPTIMIZER)
    state.to(state.TAIL)
    assert state.ns[state.FORWARD] == 10
    assert state.ns[state.LOSS] == 10
    assert state.now_in == state.TAIL
    assert sum(state.ns) == 80


def test_a_forward_recomputed_in_a_backward_belongs_to_the_backward_that_goes_on() -> None:
    state.enter(state.BACKWARD)
    state.enter(state.FORWARD)
    state.leave(state.LOSS)
    assert state.now_in == state.BACKWARD


def test_a_closure_inside_an_update() -> None:
    state.updating = 1
    state.enter(state.OPTIMIZER)
    state.enter(state.FORWARD)
    state.leave(state.LOSS)
    assert state.now_in == state.LOSS
    state.enter(state.BACKWARD)
    state.leave(state.POST)
    assert state.now_in == state.OPTIMIZER
