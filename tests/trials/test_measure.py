"""Which steps of a trial count."""

from dataclasses import replace

from narrows.ledger.steps import steps
from narrows.trials.measure import measured, within
from tests.fakes import boundaries, process


def test_the_step_in_which_it_was_held_is_none() -> None:
    marks = boundaries(forward=10.0)
    every = steps(marks).steps
    begin, end = every[4].end_ns - 1, every[9].end_ns + 1
    assert within(every, [(begin, end)]) == list(every[5:10])
    assert within(every, [(every[4].end_ns + 1, end)]) == list(every[6:10])
    assert within(every, []) == []


def test_only_turns_are_measured_and_a_job_without_any_is_measured_whole() -> None:
    marks = boundaries(forward=10.0)
    every = steps(marks).steps
    half = every[len(every) // 4].end_ns
    slow = tuple(replace(b, ns=tuple(3 * n for n in b.ns)) if b.end_ns > half else b for b in marks)
    job = process(slow)
    early = measured([job], 0, 7, [(every[1].end_ns, half)])
    assert early is not None
    assert (early.seconds, early.peak_bytes) == (0.010, 7)
    whole = measured([job], 0, 7, [])
    assert whole is not None
    assert whole.seconds > 0.010


def test_too_few_steps_say_nothing() -> None:
    assert measured([process(boundaries(forward=10.0)[:2])], 0, 0, []) is None
    assert measured([], 0, 0, []) is None
