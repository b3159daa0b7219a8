"""How time and memory go with a size, and how surely."""

import random
from collections.abc import Callable

import pytest

from narrows.fit.power import beyond, growth, seen, slope

SIZES = (256, 512, 1024)


def rounds(
    taken: Callable[[int], float], noise: float = 0.0, count: int = 6, drift: float = 0.0
) -> list[dict[int, float]]:
    """`noise`: of each number; `drift`: of the machine's speed, from round to round."""
    chance = random.Random(0)
    return [
        {n: taken(n) * chance.gauss(1, noise) * speed for n in SIZES}
        for speed in (1 + drift * turn for turn in range(count))
    ]


@pytest.mark.parametrize("ran", [[], [{}], [{512: 1.0}], [{256: 1.0, 512: 2.0}, {512: 2.0}], [{256: 0.0, 512: 1.0}]])
def test_no_two_sizes_ran(ran: list[dict[int, float]]) -> None:
    assert slope(ran) is None
    assert growth(ran) is None
    assert beyond(ran, 2048) is None


def test_a_size_that_does_nothing() -> None:
    found = slope(rounds(lambda n: 0.1))
    assert found is not None
    assert found.interval is not None
    assert (found.value, *found.interval) == pytest.approx((0.0, 0.0, 0.0))
    same = beyond(rounds(lambda n: 0.1), 4096)
    assert same is not None
    assert same.value == pytest.approx(0.1)
    assert growth(rounds(lambda n: 0.1)) is None


@pytest.mark.parametrize("truth", [0.0, 1.5], ids=["noise alone", "a power"])
def test_the_interval_holds_the_truth_as_often_as_it_says(truth: float) -> None:
    """Where nothing depends on the size, 0 is in it."""
    chance, held = random.Random(1), 0
    for _ in range(400):
        found = slope([{n: n**truth * chance.lognormvariate(0, 0.2) for n in SIZES} for _ in range(6)])
        assert found is not None
        assert found.interval is not None
        held += found.interval[0] <= truth <= found.interval[1]
    assert 0.94 < held / 400 < 0.99  # 31 in 32, of 400


def test_five_rounds_have_no_interval() -> None:
    for found in (slope(rounds(float, count=5)), seen(rounds(float, count=5), 512)):
        assert found is not None
        assert found.interval is None


def test_a_machine_that_slows_down_leaves_the_exponent_alone() -> None:
    found = slope(rounds(lambda n: n**1.3, drift=0.2))
    assert found is not None
    assert found.interval == pytest.approx((1.3, 1.3))
    assert found.value == pytest.approx(1.3)


def test_beyond_what_ran_the_square_takes_over() -> None:
    """The slope over what ran would say 5.1 seconds."""

    def taken(n: int) -> float:
        return 0.02 + n / 1e4 + n * n / 1e6

    found = beyond(rounds(taken), 4096)
    assert found is not None
    assert found.value == pytest.approx(taken(4096))
    noisy = beyond(rounds(taken, noise=0.03), 4096)
    assert noisy is not None
    assert noisy.interval is not None
    assert noisy.interval[0] < taken(4096) < noisy.interval[1]


@pytest.mark.parametrize("power", [0, 1, 2])
def test_noise_makes_no_part_negative(power: int) -> None:
    """A line's noise has a square in it, as often below zero as above."""
    found = beyond(rounds(lambda n: float(n**power), noise=0.01), 1 << 14)
    assert found is not None
    assert found.interval is not None
    assert found.interval[0] > 0.5 * (1 << 14) ** power


def test_two_sizes_do_not_tell_what_comes_beyond() -> None:
    assert beyond([{256: 1.0, 512: 2.0}], 1024) is None


def test_what_is_there_anyway_is_not_growth() -> None:
    found = growth(rounds(lambda n: 1e9 + 10 * n**1.7))
    assert found is not None
    assert found.value == pytest.approx(1.7)


def test_sizes_that_are_not_evenly_spaced_have_no_such_growth() -> None:
    assert growth([{256: 1.0, 512: 2.0, 513: 3.0}]) is None


def test_what_grew_in_some_rounds_only_is_not_known() -> None:
    assert growth([{256: 1.0, 512: 2.0, 1024: 4.0}, {256: 1.0, 512: 0.9, 1024: 4.0}]) is None
