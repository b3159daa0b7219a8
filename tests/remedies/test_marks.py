"""What is reached from a dataset, and whether it has changed."""

import functools
import gc
import logging
import random
import types
import weakref
from typing import Any

import pytest

from narrows.remedies.inside import datasets, marks, reached

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")
pytestmark = pytest.mark.torch
LIMIT = 1
OWN, UNUSED = random.Random(0), random.Random(1)


class Inner:
    def __init__(self) -> None:
        self.table = {"a": [1.0, 2.0]}


class Set:
    def __init__(self) -> None:
        self.order, self.weights, self.inner = list(range(3000)), np.arange(2_000_000), Inner()
        self.small, self.shared = np.arange(9), torch.zeros(5000)
        self.view: Any = self.shared.numpy()
        self.transform = functools.partial(min, 3)
        self.seen = UNUSED.random()

    def __getitem__(self, index: int) -> int:
        return self.made(index) + LIMIT

    def made(self, index: int) -> int:
        return index

    def other(self) -> float:
        return OWN.random()


def changed(change: Any) -> bool:
    dataset = Set()
    before = marks.marks(torch, dataset)
    change(dataset)
    return not marks.same(before, marks.marks(torch, dataset))


def test_what_is_as_it_was_is_the_same() -> None:
    dataset = Set()
    before = marks.marks(torch, dataset)
    assert dataset[3] == 4
    assert dataset.weights.sum() > 0
    dataset.order = list(dataset.order)  # another list of the same
    assert marks.same(before, marks.marks(torch, dataset))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.order.__setitem__(2900, -1),
        lambda s: random.shuffle(s.order),
        lambda s: np.random.shuffle(s.weights),
        lambda s: s.small.__setitem__(8, 0),
        lambda s: s.shared.add_(1),
        lambda s: s.view.__iadd__(1),
        lambda s: s.inner.table["a"].append(3.0),
        lambda s: s.inner.table.update(b=1),
        lambda s: setattr(s, "inner", Inner()),
        lambda s: setattr(s, "transform", functools.partial(min, 4)),
        lambda s: globals().__setitem__("LIMIT", LIMIT + 1),
    ],
)
def test_what_is_changed_in_place_or_exchanged_is_seen(change: Any) -> None:
    assert changed(change)


def test_what_was_exchanged_is_not_kept_alive() -> None:
    dataset = Set()
    before = marks.marks(torch, dataset)
    old = weakref.ref(dataset.inner), weakref.ref(dataset.weights)
    dataset.inner, dataset.weights = Inner(), None
    gc.collect()
    assert [each() for each in old] == [None, None]
    assert not marks.same(before, marks.marks(torch, dataset))


def test_what_only_other_methods_name_modules_and_what_all_share_are_not_reached() -> None:
    dataset: Any = Set()
    dataset.log, dataset.random = logging.getLogger("set"), random
    found = reached.reached(torch, dataset, random.choice, logging.info)
    assert not any(isinstance(each, (random.Random, logging.Logger, types.ModuleType, type)) for each in found)
    assert not datasets.draws(torch, dataset)
    dataset.made = dataset.other
    assert datasets.draws(torch, dataset)


def test_no_more_is_looked_at_than_is_quick() -> None:
    assert (
        len(reached.reached(torch, [[[object() for _ in range(100)] for _ in range(100)] for _ in range(100)])) == 500
    )
