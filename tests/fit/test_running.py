"""The largest size that fits, over jobs whose memory is known, and noisy."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import cycle

import pytest

from narrows.fit.running import by_running
from narrows.memory.capacity import Frame
from tests.memory.streams import step

AROUND = Frame(fixed=1000, files=0, broken=0.0)
NOW, NO_END = 16, 1 << 30


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
    found = by_running(step, AROUND, 50_000, NOW, NO_END, run)
    assert found.largest is not None
    assert need(found.largest) <= 50_000 < need(found.largest + 1) * 1.05
    assert len(ran) <= 6


def test_a_job_that_takes_more_than_is_modelled() -> None:
    run, ran = job(1.4)
    found = by_running(step, AROUND, 50_000, NOW, NO_END, run)
    assert found.largest is not None
    assert 1.4 * need(found.largest) <= 50_000 < 1.4 * need(round(1.05 * found.largest) + 1)
    assert len(ran) <= 8


def test_what_the_kernel_keeps_counts_too() -> None:
    around = Frame(fixed=1000, files=0, broken=0.0, beyond=2000, tables=0.1)
    run, _ = job(1.2)
    found = by_running(step, around, 50_000, NOW, NO_END, run)
    assert found.largest is not None
    assert 1.1 * 1.2 * need(found.largest) + 2000 <= 50_000 < (1.1 * 1.2 * need(found.largest + 1) + 2000) * 1.05
    assert found.measured[found.largest] == round(1.1 * round(1.2 * need(found.largest))) + 2000


def test_one_that_was_lucky_is_not_kept() -> None:
    """It takes 3% less in the first run of each size than in the next one."""
    seen: dict[int, int] = {}

    def run(size: int) -> int | None:
        seen[size] = seen.get(size, 0) + 1
        return round(need(size) * (0.97 if seen[size] == 1 else 1.0))

    found = by_running(step, AROUND, 50_000, NOW, NO_END, run)
    assert found.largest is not None
    assert need(found.largest) * (0.97 if seen[found.largest] == 1 else 1.0) <= 50_000
    assert found.measured[found.largest] <= 50_000


@pytest.mark.parametrize("seed", range(10))
def test_of_a_noisy_job_the_size_that_nearly_always_fits(seed: int) -> None:
    """It takes 2.5% more or less (standard deviation) from run to run."""
    chance = random.Random(seed)
    found = by_running(step, AROUND, 50_000, NOW, NO_END, lambda size: round(need(size) * chance.gauss(1.0, 0.025)))
    assert found.largest is not None
    assert need(found.largest) * 1.01 < 50_000, "it would fail every third time"
    assert need(found.largest) * 1.15 > 50_000


@pytest.mark.parametrize("steep", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("noise", [0.0, 0.003])
def test_a_job_that_grows_otherwise_than_is_modelled(steep: float, noise: float) -> None:
    chance = random.Random(1)

    def true(size: int) -> float:
        return need(NOW) + steep * (need(size) - need(NOW))

    found = by_running(step, AROUND, 50_000, NOW, NO_END, lambda size: round(true(size) * chance.gauss(1.0, noise)))
    assert found.largest is not None
    assert true(found.largest) <= 50_000 < true(round(1.05 * found.largest))
    assert found.expected(NOW) == need(NOW)
    assert found.expected(found.largest // 2) == pytest.approx(true(found.largest // 2), rel=0.02 + 2 * noise)


def test_no_more_than_there_is_data() -> None:
    """All of it fits, by far: that is not run. Where it nearly does not, it is, and may not."""
    run, ran = job()
    found = by_running(step, AROUND, 50_000, 4, 20, run)
    assert ran == []
    assert found.largest is not None
    assert found.largest > 20
    run, ran = job()
    found = by_running(step, AROUND, round(1.1 * need(99)), 4, 100, run)
    assert max(ran) == 99
    assert found.largest is not None
    assert found.largest >= 100
    run, ran = job(1.2)
    found = by_running(step, AROUND, round(1.1 * need(99)), 4, 100, run)
    assert max(ran) == 99
    assert found.largest is not None
    assert need(found.largest) * 1.2 <= 1.1 * need(99)


def test_where_nothing_can_be_run_it_is_as_modelled() -> None:
    found = by_running(step, AROUND, 50_000, NOW, NO_END, lambda size: None)
    assert found.measured == {}
    assert found.largest is not None
    assert need(found.largest) <= 50_000 < need(found.largest + 1)


def test_not_even_one_fits() -> None:
    run, ran = job()
    found = by_running(step, AROUND, 500, NOW, NO_END, run)
    assert found.largest is None
    assert ran == []


@dataclass(frozen=True)
class Blocks:
    """A step whose blocks become large enough for pages of their own at some size, so that the heap wastes less."""

    size: int

    @property
    def peak(self) -> tuple[int, int]:
        return 100 + 90 * self.size, 0

    @property
    def small(self) -> int:
        return self.peak[0] if self.size < 400 else 0


def test_where_the_heap_is_thought_to_waste_less_from_some_size_on() -> None:
    """In truth it wastes nothing at any size but the present."""
    around = Frame(fixed=1000, files=0, broken=0.2)
    found = by_running(Blocks, around, 37_000, NOW, NO_END, lambda size: 1000 + Blocks(size).peak[0])
    assert found.largest is not None
    assert 1000 + Blocks(found.largest).peak[0] <= 37_000 < 1000 + Blocks(round(1.02 * found.largest)).peak[0]
