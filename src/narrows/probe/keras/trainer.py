"""Keras' own loop: `fit`, `evaluate`, `predict`, and the function that each calls once for a step.

That function is one call, of a graph in most cases, so forward, backward and update cannot be told apart by the clock: all
of it is `graph`. With eager execution what is inside is seen by the other hooks, and `graph` is what they leave.
"""

import functools
from _thread import get_ident
from typing import Any

from .. import job, places, state
from . import losses, models

METHODS = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
FUNCTIONS = {"train": "make_train_function", "test": "make_test_function", "predict": "make_predict_function"}
_STARTS = frozenset((*state.GAPS, state.TRAINER))
inside = False
"""A step function runs: what it calls is a part of its step."""
look: Any = None
"""Set by a window that calls the step function itself: `look(function, args, kwargs)`."""
adapter = ""
"""The class of what Keras made of the data that was given to a loop last."""
batch_size = 0
"""Of the data that was given to a loop last."""


def install(keras: Any) -> None:
    trainer = next(c for c in keras.Model.__mro__ if "make_train_function" in vars(c) and "fit" in vars(c))
    for name in METHODS:
        if name in vars(trainer):
            setattr(trainer, name, _loop(getattr(trainer, name)))
    for kind, name in FUNCTIONS.items():
        setattr(trainer, name, _made(getattr(trainer, name), kind))


def _loop(original: Any) -> Any:
    """From its call to its end, what is nothing else is Keras' own Python."""

    @functools.wraps(original)
    def loop(self: Any, *args: Any, **kwargs: Any) -> Any:
        back = state.now_in
        if back not in state.GAPS or get_ident() != state.thread:
            return original(self, *args, **kwargs)
        state.enter(state.TRAINER)
        try:
            return original(self, *args, **kwargs)
        finally:
            state.leave(back)

    return loop


def _made(original: Any, kind: str) -> Any:
    """Put a `Step` around the function that Keras has made."""
    name = f"{kind}_function"

    @functools.wraps(original)
    def make(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        try:
            function = getattr(self, name, None)
            if function is not None and not isinstance(function, Step):
                setattr(self, name, Step(function, self, kind))
        except Exception as error:
            job.quiet(error)
        return result

    return make


class Step:
    """A step function of Keras, timed. All that is asked of it is the function's own answer."""

    def __init__(self, function: Any, trainer: Any, kind: str) -> None:
        self._narrows = (function, trainer, kind)

    def __getattr__(self, name: str) -> Any:
        if name == "_narrows":
            raise AttributeError(name)
        return getattr(self._narrows[0], name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        global inside
        function, trainer, kind = self._narrows
        at = state.now_in
        if not job.updates and kind == "train":
            state.thread = get_ident()
        if at not in _STARTS or get_ident() != state.thread:
            return function(*args, **kwargs)
        if places.learning:
            places.learn("model" if kind != "train" else "update")
        evaluates = kind != "train" and job.updates > 0
        inside = True
        state.enter(state.EVALUATE if evaluates else state.GRAPH)
        try:
            result = function(*args, **kwargs) if look is None else look(function, args, kwargs)
        finally:
            inside = False
            state.leave(at if evaluates else state.TAIL)
        if not evaluates:
            _ended(trainer, kind, result)
        return result


def _ended(trainer: Any, kind: str, result: Any) -> None:
    """A step is over, or as many as one call makes. Never raises, except to stop the job when asked to."""
    count = 1
    try:
        who = models.number(trainer)
        if trainer.steps_per_execution > 1:
            count = models.steps(trainer, who) if kind == "train" else trainer.steps_per_execution
        if kind == "train":
            losses.note(result, count)
            models.early(trainer.optimizer, trainer.trainable_variables)
        job.forwards += count
        job.batches += count
        job.samples += count * batch_size
    except Exception as error:
        who = 0
        job.quiet(error)
    if kind == "train":
        job.updates += count
        job.flags |= job.TRAINING | job.GRADIENTS
        job.boundaries(job.UPDATE, who, count)
    else:
        job.boundaries(job.CALL, who, count)
