"""Speed-ups and their intervals."""

import math
import random

import pytest

from narrows.trials.arm import Measured
from narrows.trials.gain import LOOKS_AFTER, MOST, gain, interval
from narrows.trials.rounds import Pairs


def pairs(*ratios: float) -> Pairs:
    return [(Measured(seconds=ratio), Measured(seconds=1.0)) for ratio in ratios]


def test_five_pairs_prove_nothing_however_clear_they_are() -> None:
    found = gain(pairs(2.0, 2.0, 2.0, 2.0, 2.0))
    assert found is not None
    assert not found.proven
    assert found.high == math.inf


def test_six_pairs_that_all_agree_prove_a_gain() -> None:
    found = gain(pairs(1.5, 1.6, 1.4, 1.55, 1.45, 1.5))
    assert found is not None
    assert found.proven
    assert found.ratio == pytest.approx(1.5, rel=0.01)
    assert (found.low, found.high) == (pytest.approx(1.4), pytest.approx(1.6))


def test_one_pair_that_disagrees_is_enough_to_doubt_six() -> None:
    found = gain(pairs(1.5, 1.6, 1.4, 1.55, 1.45, 0.98))
    assert found is not None
    assert not found.proven


def test_the_interval_is_that_of_the_signed_rank_test() -> None:
    # R: wilcox.test(c(1,2,3,4,5,6,7,8,9,10), conf.int=TRUE) gives 3.0 to 8.0
    assert interval([float(x) for x in range(1, 11)], 0.95) == (3.0, 8.0)


def test_of_all_looks_together_one_in_twenty_takes_noise_for_a_gain() -> None:
    rng, claims, times = random.Random(0), 0, 2000
    for _ in range(times):
        noise = [rng.gauss(0, 1) for _ in range(MOST)]
        claims += any(interval(noise[:looked])[0] > 0 for looked in LOOKS_AFTER)
    assert 0.02 * times < claims <= 0.05 * times


def test_a_larger_step_is_held_against_its_samples() -> None:
    larger = [(Measured(seconds=1.0, samples=32), Measured(seconds=1.5, samples=64))] * 6
    plain, each = gain(larger), gain(larger, per_sample=True)
    assert plain is not None
    assert each is not None
    assert plain.ratio == pytest.approx(1 / 1.5)
    assert each.ratio == pytest.approx(2 / 1.5)


def test_nothing_was_measured() -> None:
    assert gain([]) is None
