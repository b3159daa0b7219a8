"""How memory goes with a size."""

import pytest

from narrows.fit.scaling import exponent
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
