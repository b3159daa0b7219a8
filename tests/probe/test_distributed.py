"""What waits for other ranks is timed as that, wherever in the step it is called from; nothing of it gets into a graph."""

import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from narrows.probe import shards, state  # noqa: E402
from narrows.probe.hooks import distributed  # noqa: E402


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    state.restart()
    yield
    state.restart()


def seen() -> int:
    """What a collective is called in: the state, as the one who is called finds it."""
    return state.now_in


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (state.TAIL, state.COMMUNICATION),
        (state.POST, state.COMMUNICATION),
        (state.FORWARD, state.WAIT),
        (state.BACKWARD, state.WAIT),
        (state.OPTIMIZER, state.WAIT),
        (state.NEXT, state.NEXT),
        (state.WAIT, state.WAIT),
    ],
)
def test_the_time_goes_to_communication_and_then_back_to_where_it_was(outside: int, inside: int) -> None:
    if outside in state.GAPS:
        state.to(outside)
    else:
        state.enter(outside)
    assert distributed.timed(seen)() == inside
    assert state.now_in == outside


def test_a_collective_within_another_one_is_part_of_it() -> None:
    state.enter(state.FORWARD)
    assert distributed.timed(distributed.timed(seen))() == state.WAIT
    assert state.now_in == state.FORWARD


def test_one_that_fails_leaves_the_state_as_it_was() -> None:
    def broken() -> None:
        raise RuntimeError("the other side is gone")

    with pytest.raises(RuntimeError, match="gone"):
        distributed.timed(broken)()
    assert state.now_in == state.TAIL


def test_another_thread_is_not_timed() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(distributed.timed(seen)()))
    thread.start()
    thread.join()
    assert found == [state.TAIL]


def test_what_is_only_being_compiled_is_left_alone() -> None:
    assert distributed.timed(seen, lambda: True)() == state.TAIL


def test_of_a_tensor_that_ranks_share_only_the_own_part_is_looked_at() -> None:
    class Shared:
        _local_tensor = "mine"

    assert shards.local(Shared()) == "mine"
    assert shards.local(3) == 3
