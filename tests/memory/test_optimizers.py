import pytest

from narrows.memory.ledger import Rest, ledger
from narrows.memory.optimizers import STATES, needed, trained
from tests.memory.streams import step, storage, stream

ADAM = stream(
    (1, 2), (3, 4, -4, -5), {1: storage(400, kind=1), 2: storage(800, kind=3), 3: storage(400, kind=2), 4: storage(9)}
)


def test_what_is_learned_is_what_has_gradients() -> None:
    assert trained(ADAM) == 400
    assert trained(stream((1,), (), {1: storage(400, kind=1)})) == 0


def test_gradients_that_are_made_anew_in_each_step_count_once() -> None:
    made = stream((1,), (-2, 2), {1: storage(400, kind=2), 2: storage(400, kind=2)})
    assert trained(made) == 400


@pytest.mark.parametrize(
    ("optimizer", "state"), [("SGD", 0), ("SGD with momentum", 400), ("Adam", 800), ("Adam in 8 bits", 203)]
)
def test_its_state_takes_the_place_of_that_of_the_jobs_own(optimizer: str, state: int) -> None:
    found = ledger(ADAM, Rest(framework=50))
    assert found.parts["optimizer"] == 800
    assert needed(found, 400, optimizer) == found.needed - 800 + state


def test_the_least_comes_first() -> None:
    found = ledger(step(4), Rest())
    sizes = [needed(found, 100, optimizer) for optimizer in STATES]
    assert sizes == sorted(sizes)
