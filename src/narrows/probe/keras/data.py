"""What Keras' loop is fed with, and, where it asks for batches from Python, how long it waits for them."""

import functools
import importlib
from _thread import get_ident
from typing import Any

from .. import job, places, state
from . import trainer

_told: set[str] = set()
last: Any = None
"""The batch that was served last, where it is asked for from Python in the step function."""


def install(keras: Any) -> None:
    EpochIterator = importlib.import_module("keras.src.trainers.epoch_iterator").EpochIterator  # noqa: N806
    original_init, original_next = EpochIterator.__init__, EpochIterator.__next__

    @functools.wraps(original_init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original_init(self, *args, **kwargs)
        try:
            _introduce(self, kwargs.get("x", args[0] if args else None))
        except Exception as error:
            job.quiet(error)

    @functools.wraps(original_next)
    def __next__(self: Any) -> Any:  # noqa: N807
        if state.now_in not in state.OUTER or get_ident() != state.thread:
            return original_next(self)
        if places.learning:
            places.learn("loader")
        back = state.now_in
        state.enter(state.NEXT)
        try:
            return original_next(self)
        finally:
            state.leave(back)

    EpochIterator.__init__, EpochIterator.__next__ = __init__, __next__
    if keras.backend.backend() == "jax":
        kind = importlib.import_module("keras.src.backend.jax.trainer").JAXEpochIterator
        original = kind._get_iterator
        kind._get_iterator = functools.wraps(original)(lambda self: Served(original(self)))


class Served:
    """The batches of an iterator, each timed: on JAX the step function asks for its own."""

    def __init__(self, batches: Any) -> None:
        self.batches = iter(batches)

    def __iter__(self) -> "Served":
        return self

    def __next__(self) -> Any:
        global last
        if state.now_in not in state.OUTER or get_ident() != state.thread:
            return next(self.batches)
        if places.learning:
            places.learn("loader")
        state.enter(state.NEXT)
        try:
            last = next(self.batches)
            return last
        finally:
            state.leave(state.PREPARE)


def _introduce(iterator: Any, given: Any) -> None:
    adapter = iterator.data_adapter
    rows = _rows(given)
    trainer.adapter = type(adapter).__name__
    trainer.batch_size = min(int(adapter.batch_size or 0), rows or 1 << 30)
    told = {
        "adapter": type(adapter).__name__,
        "given": type(given).__name__,
        "batch_size": adapter.batch_size,
        "batches": adapter.num_batches,
        "samples": rows,
        "workers": getattr(given, "workers", None),
        "multiprocessing": getattr(given, "use_multiprocessing", None),
        "where": places.here(),
    }
    if str(told) not in _told and len(_told) < 20:
        _told.add(str(told))
        job.spool.event("data", **told)


def _rows(value: Any) -> int | None:
    """Samples of an array, or of the first array of a list or a dictionary."""
    while isinstance(value, (list, tuple, dict)) and value:
        value = next(iter(value.values())) if isinstance(value, dict) else value[0]
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) and shape[0] is not None else None
