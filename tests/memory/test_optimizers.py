import pytest

from narrows.memory.ledger import Rest, ledger
from narrows.memory.optimizers import STATES, needed, trained
from narrows.spool.record import Process
from tests import fakes
from tests.memory.streams import step, storage, stream

ADAM = stream(
    (1, 2), (3, 4, -4, -5), {1: storage(400, kind=1), 2: storage(800, kind=3), 3: storage(400, kind=2), 4: storage(9)}
)


def learning(*storages: int) -> Process:
    """A job whose parameters in these storages had gradients."""
    return fakes.process((), memory_owners={"owners": [], "learned": list(storages)})


def test_what_is_learned_is_what_has_gradients() -> None:
    assert trained(learning(1), ADAM) == 400
    assert trained(learning(), ADAM) == 0
    assert trained(fakes.process(()), ADAM) == 0


def test_a_sparse_gradient_says_nothing_of_the_size_of_its_parameter() -> None:
    """An embedding of 6400 bytes, of which a step reads two rows."""
    sparse = stream((1, 2), (3, -4), {1: storage(6400, kind=1), 2: storage(12800, kind=3), 3: storage(28, kind=2)})
    assert trained(learning(1), sparse) == 6400
    found = ledger(sparse, Rest())
    assert needed(found, trained(learning(1), sparse), "Adam") == found.needed == 6400 + 12800 + 28


def test_parameters_on_another_device_do_not_count() -> None:
    assert trained(learning(1, 9), ADAM) == 400


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
