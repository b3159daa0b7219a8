import sys

from narrows.ledger.steps import steps
from narrows.spool.record import CALL, UPDATE
from tests.fakes import boundary


def test_each_update_is_a_step() -> None:
    found = steps([boundary(i, forward=1.0) for i in range(10)])
    assert (found.type, found.unit, len(found.steps)) == ("training", "optimizer step", 10)


def test_two_optimizers_that_take_turns_are_one_step() -> None:
    found = steps([boundary(i, who=i % 2, forward=1.0) for i in range(20)])
    assert (found.unit, len(found.steps), found.per_step) == ("turn of 2 optimizers", 10, 2.0)
    assert found.steps[0].forwards == 2


def test_five_critic_updates_for_one_of_the_generator() -> None:
    found = steps([boundary(i, who=1 if i % 6 == 5 else 0, forward=1.0) for i in range(60)])
    assert len(found.steps) == 10


def test_an_optimizer_that_is_hardly_ever_stepped_does_not_set_the_turn() -> None:
    found = steps([boundary(i, who=1 if i % 100 == 99 else 0, forward=1.0) for i in range(400)])
    assert len(found.steps) == 396


def test_of_two_stages_the_longer_one() -> None:
    early = [boundary(i, who=0, forward=1.0) for i in range(30)]
    late = [boundary(100 + 5 * i, who=1, forward=5.0) for i in range(50)]
    found = steps([*early, *late])
    assert (found.unit, len(found.steps), found.per_step) == ("optimizer step", 50, 1.0)
    assert found.steps[0].forwards == 31  # what came before is of its first step
    assert {step.seconds for step in found.steps[1:]} == {0.005}
    assert found.spans == ((105_000_000, sys.maxsize),), (
        "from the second update on; the last window may end with the job"
    )
    found = steps([*late, *[boundary(1000 + i, who=2, forward=1.0) for i in range(30)]])
    assert (len(found.steps), found.spans) == (50, ((105_000_000, 1_000_000_000),))


def test_an_optimizer_of_a_few_updates_before_the_loop_is_no_part_of_the_turn() -> None:
    early = [boundary(i, who=0, forward=1.0) for i in range(10)]
    gan = [boundary(10 + i, who=1 + i % 2, forward=1.0) for i in range(40)]
    found = steps([*early, *gan])
    assert (found.unit, len(found.steps), found.per_step) == ("turn of 2 optimizers", 20, 2.0)


def test_folds_are_one_loop() -> None:
    found = steps([boundary(i, who=i // 20, forward=1.0) for i in range(100)])
    assert (found.unit, len(found.steps), len(found.spans)) == ("optimizer step", 100, 5)


def test_calls_before_the_first_update_belong_to_the_first_step() -> None:
    calls = [boundary(i, kind=CALL, forward=1.0) for i in range(3)]
    updates = [boundary(10 + i, kind=UPDATE, backward=1.0) for i in range(5)]
    found = steps([*calls, *updates])
    assert found.type == "training"
    assert found.steps[0].forwards == 4


def test_model_calls_without_updates_are_inference() -> None:
    assert steps([boundary(i, kind=CALL, forward=1.0) for i in range(5)]).type == "inference"


def test_nothing_is_none() -> None:
    assert steps([]).type == "none"
    assert steps([boundary(1, forward=1.0)]).type == "none"
