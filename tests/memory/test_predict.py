from dataclasses import replace

import pytest

from narrows.memory.predict import Unlike, model
from tests.memory.streams import step, storage, stream


def test_sizes_that_were_not_seen() -> None:
    """What stays, what grows evenly and what grows with the square, exactly."""
    fitted = model({4: step(4), 8: step(8), 16: step(16)})
    for batch in (1, 2, 100, 1000):
        assert fitted.at(batch).peak[0] == step(batch).peak[0]


def test_two_sizes_are_enough_where_nothing_grows_with_the_square() -> None:
    def even(batch: int):  # type: ignore[no-untyped-def]
        made = step(batch)
        return replace(made, storages={**made.storages, 4: storage(7, "loss")})

    assert model({4: even(4), 8: even(8)}).at(64).peak[0] == even(64).peak[0]


def test_the_peak_moves_to_another_moment() -> None:
    def made(batch: int):  # type: ignore[no-untyped-def]
        return stream((), (1, -2, 2, -3), {1: storage(100), 2: storage(10 * batch)})

    fitted = model({1: made(1), 2: made(2)})
    assert fitted.at(1).peak == (100, 1)
    assert fitted.at(50).peak == (500, 3)


def test_steps_that_do_not_do_the_same_are_refused() -> None:
    one = step(4)
    longer = stream(one.begin, (*one.events, 6), {**dict(one.storages), 6: storage(1)})
    other = replace(one, storages={**one.storages, 3: storage(80, "forward", "Net.body", op="conv.default")})
    for unlike in (longer, other):
        with pytest.raises(Unlike):
            model({4: one, 8: unlike})


def test_what_ops_take_for_themselves_grows_along() -> None:
    def made(batch: int):  # type: ignore[no-untyped-def]
        return replace(step(batch), inside={4: 1000 * batch})

    assert model({4: made(4), 8: made(8)}).at(16).inside == {4: 16000}
