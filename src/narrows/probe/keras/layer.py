"""Outermost calls of a Keras model or layer in a loop of the job's own."""

import functools
from _thread import get_ident
from typing import Any

from .. import job, places, state
from . import models, trainer

in_graph: Any = None
"""Set by TensorFlow's hooks: True while a graph is made."""
_numbers = models.Numbers()


def install(keras: Any) -> None:
    layer = keras.layers.Layer
    original = layer.__call__

    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        at = state.now_in
        if at not in state.OUTER or get_ident() != state.thread or (in_graph is not None and in_graph()):
            return original(self, *args, **kwargs)
        if at == state.TRAINER or not args or not hasattr(args[0], "shape") or _symbolic(args[0]):
            return original(self, *args, **kwargs)  # the model is built
        if places.learning:
            places.learn("model")
        evaluates = job.updates > 0 and not trainer.inside and not taped()
        state.enter(state.EVALUATE if evaluates else state.FORWARD)
        try:
            return original(self, *args, **kwargs)
        finally:
            state.leave(at if evaluates else state.LOSS)
            job.forwards += 1
            job.samples += _samples(args[0])
            if not job.updates and not trainer.inside and not taped():
                job.boundary(job.CALL, _number(self))

    layer.__call__ = __call__


taped: Any = lambda: False  # noqa: E731
"""Whether gradients are recorded. TensorFlow's hooks and torch's know."""


def _symbolic(value: Any) -> bool:
    return type(value).__name__ == "KerasTensor"


def _samples(value: Any) -> int:
    shape = value.shape
    return int(shape[0]) if len(shape) else 0


def _number(layer: Any) -> int:
    who, new = _numbers.of(layer)
    if new:
        models.looped()
        models.introduce(layer, who)
    return who
