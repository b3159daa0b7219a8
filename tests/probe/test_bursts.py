"""What comes back now and then is told from what the machine does once."""

from narrows.probe import bursts


def test_even_steps_have_no_period() -> None:
    assert bursts.period([10, 11, 10, 12] * 20) == 1


def test_one_step_that_was_held_up_is_no_burst() -> None:
    assert bursts.period([10] * 50 + [400] + [10] * 50) == 1


def test_an_answer_every_twelve_tokens() -> None:
    assert bursts.period(([10] * 11 + [100]) * 5) == 12


def test_disturbed_steps_count_as_steps_and_say_nothing_of_time() -> None:
    even: list[int | None] = [10] * 11
    assert bursts.period([*even, 100, *even, 100, *[None] * 6, *even[:5], 100, *even, 100]) == 12


def test_bursts_that_take_next_to_no_time_are_left_alone() -> None:
    assert bursts.period(([100] * 11 + [201]) * 20) > 1
    assert bursts.period(([100] * 99 + [250]) * 20) == 1
