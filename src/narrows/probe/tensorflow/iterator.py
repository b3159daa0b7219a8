"""`tf.data`: waiting for an element in Python, starting an iterator, and what the pipeline is made of."""

import functools
import importlib
from _thread import get_ident
from typing import Any

from .. import job, places, state
from ..keras import trainer

_told: set[int] = set()
_started = 0
MOST_STAGES = 50


def install(tensorflow: Any) -> None:
    owned = importlib.import_module("tensorflow.python.data.ops.iterator_ops").OwnedIterator
    dataset = tensorflow.data.Dataset
    inside = tensorflow.inside_function
    owned.__next__ = _timed(owned.__next__, state.NEXT, inside)
    owned.get_next = _timed(owned.get_next, state.NEXT, inside)
    original = dataset.__iter__
    timed = _timed(original, state.ITER, inside)

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        global _started
        _started += 1
        try:
            _introduce(self)
        except Exception as error:
            job.quiet(error)
        return timed(self)

    dataset.__iter__ = __iter__
    job.at_end.append(lambda: job.spool.event("started", times=_started))


def _timed(original: Any, to: int, inside: Any) -> Any:
    @functools.wraps(original)
    def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
        at = state.now_in
        if at not in state.OUTER or get_ident() != state.thread or inside():
            return original(self, *args, **kwargs)
        if places.learning:
            places.learn("loader")
        state.enter(to)
        try:
            return original(self, *args, **kwargs)
        finally:
            state.leave(state.PREPARE)
            if at in state.GAPS and to == state.NEXT:
                job.batches += 1

    return asked


def _introduce(dataset: Any) -> None:
    """Write down the stages of a pipeline, the last first, once for each dataset. Those that Keras makes of arrays and
    generators are its own."""
    if state.now_in == state.TRAINER and trainer.adapter != "TFDatasetAdapter":
        return
    if id(dataset) in _told or len(_told) >= 20:
        return
    _told.add(id(dataset))
    stages: list[list[Any]] = []
    left = [dataset]
    while left and len(stages) < MOST_STAGES:
        stage = left.pop()
        stages.append([type(stage).__name__.strip("_"), _number(getattr(stage, "_num_parallel_calls", None))])
        left.extend(stage._inputs())
    job.spool.event("pipeline", stages=stages, where=places.here())


def _number(value: Any) -> int | None:
    """Of a constant tensor; -1 is AUTOTUNE."""
    try:
        return int(value) if value is not None else None
    except Exception:
        return None
