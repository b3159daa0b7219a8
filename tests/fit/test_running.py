"""The largest size that fits, over jobs whose memory is known, and noisy."""

import random
from collections.abc import Callable, Iterable
from itertools import cycle

import pytest

from narrows.fit.running import by_running
from narrows.memory.capacity import Frame
from tests.memory.streams import step

AROUND = Frame(fixed=1000, files=0, broken=0.0)
NO_END = 1 << 30


def need(size: int) -> int:
    return AROUND.needed(step(size))


def job(more: float = 1.0, noise: Iterable[float] = (1.0,)) -> tuple[Callable[[int], int | None], list[int]]:
    """Takes so many times what is modelled; and the sizes at which it ran."""
    ran, factors = [], cycle(noise)

    def run(size: int) -> int | None:
        ran.append(size)
        return round(need(size) * more * next(factors))

    return run, ran


def test_a_model_that_is_right_is_run_once_and_again() -> None:
    run, ran = job()
    found = by_running(step, AROUND, 50_000, NO_END, run)
    assert found.largest is not None
    assert need(found.largest) <= 50_000 < need(found.largest + 1) * 1.05
    assert len(ran) <= 6


def test_a_job_that_takes_more_than_is_modelled() -> None:
    run, ran = job(1.4)
    found = by_running(step, AROUND, 50_000, NO_END, run)
    assert found.largest is not None
    assert 1.4 * need(found.largest) <= 50_000 < 1.4 * need(round(1.05 * found.largest) + 1)
    assert len(ran) <= 8


def test_what_the_kernel_keeps_counts_too() -> None:
    around = Frame(fixed=1000, files=0, broken=0.0, beyond=2000, tables=0.1)
    run, _ = job(1.2)
    found = by_running(step, around, 50_000, NO_END, run)
    assert found.largest is not None
    assert 1.1 * 1.2 * need(found.largest) + 2000 <= 50_000 < (1.1 * 1.2 * need(found.largest + 1) + 2000) * 1.05
    assert found.measured[found.largest] == round(1.1 * round(1.2 * need(found.largest))) + 2000


def test_one_that_was_lucky_is_not_kept() -> None:
    """It takes 3% less in the first run of each size than in the next one."""
    seen: dict[int, int] = {}

    def run(size: int) -> int | None:
        seen[size] = seen.get(size, 0) + 1
        return round(need(size) * (0.97 if seen[size] == 1 else 1.0))

    found = by_running(step, AROUND, 50_000, NO_END, run)
    assert found.largest is not None
    assert need(found.largest) * (0.97 if seen[found.largest] == 1 else 1.0) <= 50_000
    assert found.measured[found.largest] <= 50_000


@pytest.mark.parametrize("seed", range(10))
def test_of_a_noisy_job_the_size_that_nearly_always_fits(seed: int) -> None:
    """It takes 2.5% more or less (standard deviation) from run to run."""
    chance = random.Random(seed)
    found = by_running(step, AROUND, 50_000, NO_END, lambda size: round(need(size) * chance.gauss(1.0, 0.025)))
    assert found.largest is not None
    assert need(found.largest) * 1.01 < 50_000, "it would fail every third time"
    assert need(found.largest) * 1.15 > 50_000


def test_no_more_than_there_is_data() -> None:
    run, ran = job()
    found = by_running(step, AROUND, 50_000, 20, run)
    assert max(ran, default=0) < 20
    assert found.largest is not None


def test_where_nothing_can_be_run_it_is_as_modelled() -> None:
    found = by_running(step, AROUND, 50_000, NO_END, lambda size: None)
    assert found.measured == {}
    assert found.largest is not None
    assert need(found.largest) <= 50_000 < need(found.largest + 1)


def test_not_even_one_fits() -> None:
    run, ran = job()
    found = by_running(step, AROUND, 500, NO_END, run)
    assert found.largest is None
    assert ran == []
