"""Keras goes on with one iterator over arrays, where it makes a new one for each epoch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "keras-one-iterator"
FRAMEWORK = "keras"
CLASS = "exact"
TEXT = {
    "en": (
        "One iterator over the arrays for all epochs",
        "The samples of an epoch come in another random order, if they are shuffled.",
    ),
    "zh": ("所有轮共用一个数组迭代器", "如果打乱样本，每轮的随机顺序会不同。"),
}
ADAPTER = "ArrayDataAdapter"


def candidates(view: View) -> list[Candidate]:
    if (
        view.process.first("data").get("adapter") != ADAPTER
        or view.process.last("keras").get("backend") != "tensorflow"
    ):
        return []
    saved = view.steady.seconds["iter"]
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(keras: Any, value: bool) -> None:
    if keras.backend.backend() != "tensorflow":
        return
    kind = importlib.import_module("keras.src.backend.tensorflow.trainer").TFEpochIterator
    original = kind._get_iterator

    def get(self: Any) -> Any:
        data = original(self)
        try:
            return _kept(self, data) or data
        except Exception as error:
            within.fault(NAME, error)
            return data

    kind._get_iterator = get


class Endless:
    """A dataset of which there is one iterator. Keras counts the steps of an epoch itself, so it needs no end."""

    def __init__(self, dataset: Any) -> None:
        self.iterator = iter(dataset.repeat())

    def __iter__(self) -> Any:
        return self.iterator


def _kept(iterator: Any, dataset: Any) -> Endless | None:
    """None where an epoch ends with the data, and not after a number of steps that is known."""
    batches = iterator._num_batches
    whole = batches and batches % iterator.steps_per_execution == 0 and iterator.steps_per_epoch is None
    if not whole or type(iterator.data_adapter).__name__ != ADAPTER or not hasattr(dataset, "repeat"):
        return None
    if not hasattr(iterator, "_narrows_endless"):
        iterator._narrows_endless = Endless(dataset)
        within.note(NAME, batches=batches)
    found: Endless = iterator._narrows_endless
    return found


def by_hand(value: bool) -> str:
    return (
        "data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(32).repeat()\n"
        "model.fit(data, steps_per_epoch=math.ceil(len(x) / 32), epochs=...)"
    )
