from dataclasses import replace

import pytest

from narrows.ledger.steady import interval, startup_ends, steady, unevenness
from narrows.ledger.steps import Step, steps
from tests.fakes import boundaries, boundary


def made(*milliseconds: float, state: str = "forward") -> tuple[Step, ...]:
    return steps([boundary(i, **{state: ms}) for i, ms in enumerate(milliseconds)]).steps


def test_startup_is_found_from_the_data() -> None:
    assert startup_ends(made(900, 300, 50, *[10] * 30)) == 3
    assert startup_ends(made(900, *[10] * 30)) == 1


def test_one_hiccup_does_not_move_the_median() -> None:
    found = steady(made(100, *[10] * 20, 500, *[10] * 20))
    assert found is not None
    assert found.block == 1
    assert found.median == pytest.approx(0.010)
    assert found.pauses[0][1] == "forward"


def test_time_that_comes_in_bursts_is_averaged_before_the_median() -> None:
    found = steady(made(100, *[1, 1, 10] * 40))
    assert found is not None
    assert found.block > 1
    assert found.median == pytest.approx(0.004, rel=0.1)


def test_states_sum_to_the_median() -> None:
    found = steady(steps([boundary(i, forward=2.0, backward=3.0, tail=1.0) for i in range(30)]).steps)
    assert found is not None
    assert sum(found.seconds.values()) == pytest.approx(found.median)
    assert found.seconds["backward"] == pytest.approx(0.003)


def test_steps_with_an_evaluation_are_pauses_when_they_are_rare() -> None:
    every = [boundary(i, forward=10.0, **({"evaluate": 50.0} if i % 20 == 19 else {})) for i in range(100)]
    found = steady(steps(every).steps)
    assert found is not None
    assert found.median == pytest.approx(0.010)
    assert found.evaluation == pytest.approx(5 * 0.050)


def test_evaluations_that_come_often_are_part_of_an_average_step() -> None:
    every = [boundary(i, forward=10.0, **({"evaluate": 50.0} if i % 20 == 19 else {})) for i in range(401)]
    found = steady(steps(every).steps)
    assert found is not None
    assert found.median == pytest.approx(0.0125)
    assert found.seconds["evaluate"] == pytest.approx(0.0025)
    assert found.evaluation == pytest.approx(20 * 0.050)
    assert found.pauses == ()


def test_bursts_that_are_far_apart_are_not_lost_between_the_blocks() -> None:
    found = steady(made(10, *([10] * 59 + [610]) * 8))
    assert found is not None
    assert found.median == pytest.approx(0.020)


def test_alike_steps_with_a_few_long_ones_are_even_and_sequences_of_any_length_are_not() -> None:
    assert unevenness([10.0] * 90 + [600.0] * 10) == 0
    assert unevenness([10.0, 10.1, 9.9, 10.2] * 9) < 0.05
    assert unevenness([float(n) for n in range(1, 41)]) == pytest.approx(0.74, abs=0.02)
    assert unevenness([1.0, 2.0]) == 0


def test_too_few_steps_are_no_steady_state() -> None:
    assert steady(made(1, 1)) is None


def test_the_interval_holds_the_median() -> None:
    low, high = interval(list(range(101)))
    assert low < 50 < high
    assert (low, high) == (40, 60)


def test_light_steps_count_for_the_step_and_timed_ones_for_its_parts() -> None:
    timed = boundaries(40, forward=3.0, tail=1.0)
    light = tuple(replace(b, light=True) for b in boundaries(120, tail=3.6))
    found = steady(steps((*timed, *light)).steps)
    assert found is not None
    assert found.median == pytest.approx(0.0036)
    assert found.seconds["forward"] == pytest.approx(0.0027)
    assert found.seconds["tail"] == pytest.approx(0.0009)
    assert found.pauses == ()
