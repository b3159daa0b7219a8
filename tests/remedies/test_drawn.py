"""Random numbers, compared with what they were and set back, whichever of the three libraries draws."""

import random
from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")

from narrows.remedies.inside.drawn import Drawn  # noqa: E402

pytestmark = pytest.mark.torch

DRAWS: dict[str, Callable[[], float]] = {
    "python": random.random,
    "numpy": lambda: float(numpy.random.rand()),
    "torch": lambda: torch.rand(()).item(),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_what_is_drawn_is_seen_and_is_drawn_again(draw: Callable[[], float]) -> None:
    before = Drawn(torch)
    assert before.same()
    first = draw()
    assert not before.same()
    before.undo()
    assert before.same()
    assert draw() == first


def test_in_a_trace_without_numbers_what_is_drawn_is_seen() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        before = Drawn(torch)
        assert before.same()
        random.random()
        assert not before.same()


def test_generators_of_ones_own_are_none_of_these() -> None:
    own = random.Random(0), torch.Generator().manual_seed(0)
    before = Drawn(torch)
    own[0].random(), torch.rand(1, generator=own[1])
    assert before.same()
