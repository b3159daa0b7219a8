"""Which steps of a trial count."""

from dataclasses import replace

import pytest

from narrows.ledger.steps import steps
from narrows.trials.measure import measured, within
from tests.fakes import boundaries, boundary, process


def test_steps_of_turns_are_those_between_their_ends() -> None:
    marks = boundaries(forward=10.0)
    every = steps(marks).steps
    begin, end = every[4].end_ns - 1, every[9].end_ns + 1
    assert within(every, [(begin, end)]) == list(every[5:10])
    assert within(every, [(every[4].end_ns + 1, end)]) == list(every[6:10])
    assert within(every, []) == []


def test_time_in_which_it_was_held_does_not_count_and_no_step_is_left_out() -> None:
    every = steps(boundaries(forward=10.0)).steps
    held = [(every[0].end_ns, every[4].end_ns + 2_000_000), (every[4].end_ns + 7_000_000, every[9].end_ns)]
    found = within(every, held)
    assert len(found) == 9
    assert [step.seconds for step in found] == [0.010] * 4 + [0.005] + [0.010] * 4


def test_batches_that_come_in_bursts_are_averaged() -> None:
    """Eight workers that are too slow: seven steps of eight have a batch at once. The median would not see the wait."""
    length = [300.0 if i % 8 == 0 else 10.0 for i in range(64)]
    ends = [sum(length[: i + 1]) for i in range(64)]
    marks = tuple(boundary(end, next=ms - 5.0, forward=5.0) for end, ms in zip(ends, length, strict=True))
    loader = {"workers": 8, "prefetch": 2}
    every = steps(marks).steps
    found = measured([process(marks, loader=loader)], 0, 0, [(every[1].end_ns, every[-1].end_ns)])
    assert found is not None
    assert 0.040 < found.seconds < 0.055


def test_only_turns_are_measured_and_a_job_without_any_is_measured_whole() -> None:
    marks = boundaries(forward=10.0)
    every = steps(marks).steps
    half = every[len(every) // 4].end_ns
    slow = tuple(replace(b, ns=tuple(3 * n for n in b.ns)) if b.end_ns > half else b for b in marks)
    job = process(slow)
    early = measured([job], 0, 7, [(every[1].end_ns, half)])
    assert early is not None
    assert (early.seconds, early.peak_bytes, early.whole) == (0.010, 7, False)
    whole = measured([job], 0, 7, [])
    assert whole is not None
    assert whole.seconds > 0.010
    assert whole.whole


def test_of_steps_unlike_each_other_the_mean_counts() -> None:
    """Sorted by length, most batches are short and a few are long: the middle one would say more than was gained."""
    length = [100.0 if i % 4 == 0 else 10.0 for i in range(64)]
    ends = [sum(length[: i + 1]) for i in range(64)]
    marks = tuple(boundary(end, forward=ms) for end, ms in zip(ends, length, strict=True))
    turn = [(int(ends[3] * 1e6), int(ends[-1] * 1e6))]
    found = measured([process(marks)], 0, 0, turn, uneven=True)
    assert found is not None
    assert found.seconds == pytest.approx(0.0325, rel=0.05)


def test_too_few_steps_say_nothing() -> None:
    assert measured([process(boundaries(forward=10.0)[:2])], 0, 0, []) is None
    assert measured([], 0, 0, []) is None


def test_the_wait_for_the_first_batch_after_an_evaluation_counts_and_the_evaluation_does_not() -> None:
    lengths = [
        {"evaluate": 100.0, "next": 240.0, "forward": 10.0} if i % 24 == 23 else {"forward": 10.0} for i in range(72)
    ]
    ends = [sum(sum(each.values()) for each in lengths[: i + 1]) for i in range(72)]
    marks = tuple(boundary(end, **each) for end, each in zip(ends, lengths, strict=True))
    found = measured([process(marks, loader={"workers": 8, "prefetch": 2})], 0, 0, [])
    assert found is not None
    assert 0.018 < found.seconds < 0.022
