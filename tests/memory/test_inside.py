from narrows.memory.inside import with_inside
from tests.memory.streams import storage, stream

CALLS = (("conv", 1, 100), ("conv", 2, 200), ("add", 2, 50))
STEP = stream((), (1, 2), {1: storage(10), 2: storage(20)}, calls=CALLS)


def test_each_call_as_it_was_seen() -> None:
    assert with_inside(STEP, {0: {"conv": [0.5, 2.0]}}).inside == {1: 50, 2: 400}


def test_another_number_of_calls_takes_the_greediest() -> None:
    assert with_inside(STEP, {0: {"conv": [0.5, 2.0, 1.0]}}).inside == {1: 200, 2: 400}


def test_another_optimizers_ops_say_nothing() -> None:
    assert with_inside(STEP, {1: {"conv": [0.5, 2.0]}}).inside == {}
    assert with_inside(STEP, {}).inside == {}
