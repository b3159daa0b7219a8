"""What counts as the same training, and as the same answers."""

import math

import pytest

from narrows.trials.arm import Measured
from narrows.trials.parity import parity

FALLING = tuple(math.exp(-i / 10) + 0.1 for i in range(30))


def curve(scale: float = 1.0, add: float = 0.0) -> Measured:
    return Measured(seconds=1.0, losses=tuple(scale * loss + add for loss in FALLING))


ORIGINAL = curve()
AGAIN = [curve()]
OTHER = [curve(1.05)]
"""Another seed: 5% away."""


@pytest.mark.parametrize(
    ("kind", "changed", "word"),
    [
        ("exact", curve(), "same"),
        ("exact", curve(1 + 1e-5), "same"),
        ("exact", curve(1.04), "chance"),
        ("exact", curve(1.5), "differs"),
        ("numerics", curve(1.02), "same"),
        ("numerics", curve(1.5), "differs"),
        ("training", curve(1.2), "same"),
        ("exact", Measured(seconds=1.0, losses=(*FALLING[:10], math.nan)), "not finite"),
        ("training", Measured(seconds=1.0, losses=(FALLING[0],) * 30), "stalled"),
        ("exact", Measured(seconds=1.0), "unknown"),
    ],
)
def test_a_curve_beside_the_originals(kind: str, changed: Measured, word: str) -> None:
    found = parity(kind, ORIGINAL, changed, AGAIN, OTHER)
    assert found.word == word
    assert found.kept == (word in ("same", "chance"))


def test_a_job_that_differs_from_itself_may_differ() -> None:
    assert parity("exact", ORIGINAL, curve(1.04), [curve(1.02)], []).word == "same"


def test_answers() -> None:
    original = Measured(seconds=1.0, answers=((1.0, 2.0), (3.0, 4.0)))

    def beside(kind: str, *answers: tuple[float, ...]) -> str:
        return parity(kind, original, Measured(seconds=1.0, answers=answers), [original], []).word

    assert beside("exact", (1.0, 2.0), (3.0, 4.0)) == "same"
    assert beside("exact", (1.0, 2.1), (3.0, 4.0)) == "differs"
    assert beside("numerics", (1.0, 2.02), (3.0, 4.0)) == "same"
    assert beside("numerics", (1.0, 2.5), (3.0, 4.0)) == "differs"
    assert beside("numerics", (math.nan, 2.0), (3.0, 4.0)) == "not finite"
    assert beside("exact", (1.0, 2.0, 3.0), (3.0, 4.0)) == "not finite" or "differs"
    assert beside("exact") == "unknown"


def test_a_curve_of_every_fourth_loss_is_laid_over_those_of_the_same_steps() -> None:
    whole = tuple(10.0 - 0.1 * i for i in range(64))
    base = Measured(seconds=1.0, samples=1.0, losses=whole)
    few = Measured(seconds=1.0, samples=1.0, losses=whole[3::4], every=4)
    assert parity("exact", base, few, [base], [base]).word == "same"
    other = Measured(seconds=1.0, samples=1.0, losses=whole[1::4], every=4)
    assert parity("exact", base, other, [base], []).word == "differs"
