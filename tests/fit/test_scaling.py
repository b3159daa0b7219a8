"""How memory and time go with a size."""

from collections.abc import Sequence

import pytest

from narrows.fit.limit import Limit
from narrows.fit.scaling import Tried, exponent, missing, model_of, samples, scaled, scaling, times
from narrows.fit.sizes import Size
from narrows.memory.capacity import Frame
from narrows.report.capacity import Scaling
from narrows.spool.record import CALL, UPDATE
from narrows.trials.arm import Measured
from tests import fakes
from tests.memory.streams import step, storage, stream


def test_what_is_there_anyway_does_not_count() -> None:
    """A gigabyte of weights, and rows."""
    assert exponent(lambda n: stream((1,), (2,), {1: storage(1 << 30), 2: storage(10 * n)}), 8) == pytest.approx(1.0)


def test_a_matrix_of_all_against_all() -> None:
    assert exponent(lambda n: stream((1,), (2,), {1: storage(1 << 30), 2: storage(n * n)}), 8) == pytest.approx(2.0)
    found = exponent(step, 16)
    assert found is not None
    assert 1.0 < found < 2.0


def test_nothing_depends_on_it() -> None:
    assert exponent(lambda n: stream((1,), (), {1: storage(100)}), 8) is None


def tried(*seconds: Sequence[float], traced: bool = True) -> Tried:
    """`seconds`: of a step at 8, 16 and 32, by round; memory is that of the step."""
    rounds = [{n: Measured(seconds=s, peak_bytes=(1 << 20) + step(n).peak[0]) for n, s in zip((8, 16, 32), each, strict=False)}
              for each in seconds]  # fmt: skip
    size = Size(what="sequence", now=16, name="length", kind="name")
    return Tried(size=size, steps={n: step(n) for n in (8, 16, 32)}, traced=traced, rounds=rounds)


def of(job: Tried, wanted: int = 0) -> Scaling:
    around = Frame(fixed=0, files=0, broken=0.0)
    return scaling(job, around, Limit(bytes=1 << 20, kind="asked"), wanted, lambda size: None)[0]


def test_a_job_that_was_not_timed_says_nothing_of_time() -> None:
    found = of(tried(), 64)
    assert (found.time_exponent, found.time_exponent_interval, found.times) == (None, None, [])
    assert found.exponent_interval is None
    assert found.exponent_basis == "modelled"
    assert of(tried(traced=False)).exponent_basis == "measured"


def test_two_sizes_are_told_and_none_beyond() -> None:
    assert [(each.size, each.basis) for each in times(tried(*[(1.0, 2.0)] * 6), 64)] == [
        (8, "measured"),
        (16, "measured"),
    ]


def test_the_size_that_was_asked_about_comes_from_those_that_ran() -> None:
    found = of(tried(*[(0.8, 1.6, 3.2 + 0.01 * turn) for turn in range(6)]), 64)
    assert [(each.size, each.basis) for each in found.times] == [
        (8, "measured"), (16, "measured"), (32, "measured"), (64, "modelled"),
    ]  # fmt: skip
    last = found.times[-1]
    assert last.interval is not None
    assert 6.39 < last.interval[0] < last.seconds < last.interval[1] < 6.8
    assert found.time_exponent == pytest.approx(1.0, abs=0.01)
    assert found.asked == 64


def test_real_runs_say_how_surely_memory_grows() -> None:
    found = of(tried(*[(1.0, 2.0, 4.0)] * 6))
    assert found.exponent is not None
    assert found.exponent_interval is not None
    low, high = found.exponent_interval
    # Of 8 to 32, where the square has a smaller part than from the present 16 to 64.
    assert 1.0 < low == high < found.exponent


def test_a_size_that_ran_is_not_modelled() -> None:
    assert [each.basis for each in times(tried(*[(1.0, 2.0, 4.0)] * 6), 32)] == ["measured"] * 3


def test_steps_of_which_a_larger_one_takes_less_tell_nothing() -> None:
    """A batch of fewer, longer texts: what another batch takes is not to be had from it."""
    assert model_of({8: step(8), 16: step(16), 32: step(32)}) is not None
    assert model_of({16: step(8), 32: step(32), 64: step(24)}) is None


@pytest.mark.parametrize(
    ("before", "after", "is_it"),
    [
        ((48, 3, 8), (96, 3, 8), True),
        ((48 * 35, 8), (96 * 35, 8), True),  # tokens of all sentences
        ((35, 48), (35, 96), True),  # recurrent models have the time first
        ((35, 48), (35, 48), False),
        ((48, 3), (48, 3), False),
    ],
)
def test_a_batch_is_the_leading_dimension_of_the_input_or_another_that_went_with_it(
    before: tuple[int, ...], after: tuple[int, ...], is_it: bool
) -> None:
    one, other = (
        fakes.process((), memory_step=[{"samples": each[0], "shape": list(each)}]) for each in (before, after)
    )
    size = Size(what="batch", now=48, name="--batch", kind="option")
    assert scaled(one, other, size, 96) is is_it


def test_a_guess_is_not_the_width_of_a_square() -> None:
    """`dim = 64` beside `torch.randn(64, dim)`."""
    one, other, larger = (
        fakes.process((), memory_step=[{"samples": shape[0], "shape": shape}])
        for shape in ([64, 64], [64, 128], [128, 64])
    )
    size = Size(what="batch", now=64, name="dim", kind="name", guessed=True)
    assert not scaled(one, other, size, 128)
    assert scaled(one, larger, size, 128)
    assert not scaled(one, other, Size(what="batch", now=64, name="batch", kind="name"), 32)


def end(rows: int, calls: int = 1, boundary: int = UPDATE) -> dict[str, object]:
    return {"samples": rows, "forwards": calls, "boundary": boundary, "shape": [rows // calls, 8]}


@pytest.mark.parametrize(
    "ends",
    [
        [end(32), end(32), end(4)],  # the last batch of an epoch
        [end(256, boundary=CALL)] * 3 + [end(32)] * 2,  # a check before the training
        [end(96, 3), end(32)],  # a GAN
        [end(32), end(32 + 2 * 256, 3), end(32)],  # an evaluation between two steps
        [end(32, boundary=CALL), end(0)],
    ],
    ids=["last", "check", "parts", "evaluation", "first step"],
)
def test_the_batch_is_that_of_most_steps(ends: list[dict[str, object]]) -> None:
    assert samples(fakes.process((), memory_step=ends)) == 32
    assert samples(fakes.process((), plain_step=ends)) == 32


def test_a_model_that_was_not_called_has_no_batch() -> None:
    assert samples(fakes.process(())) == 0


def test_who_has_no_name_for_the_batch_is_told_what_helps() -> None:
    told = missing("batch", "", 64)
    assert "(64)" in told
    assert "needs a name in the script" in told
