"""Updates that a loop of the job's own makes: the outermost `apply` of a Keras optimizer."""

import functools
from _thread import get_ident
from typing import Any

from .. import job, places, state
from . import models, trainer

in_graph: Any = None
"""Set by TensorFlow's hooks: called with the optimizer where an update becomes a part of a graph; True if it does."""
_numbers = models.Numbers()


def install(keras: Any) -> None:
    for owner in keras.optimizers.Optimizer.__mro__:
        if "apply" in vars(owner):
            owner.apply = _watched(vars(owner)["apply"])
    scaled = getattr(keras.optimizers, "LossScaleOptimizer", None)
    if scaled is not None and "apply" in vars(scaled):
        scaled.apply = _watched(vars(scaled)["apply"])


def _watched(original: Any) -> Any:
    @functools.wraps(original)
    def apply(self: Any, *args: Any, **kwargs: Any) -> Any:
        at = state.now_in
        if state.updating or (in_graph is not None and in_graph(self)):
            return original(self, *args, **kwargs)
        me = get_ident()
        if not job.updates:
            state.thread = me
        if at not in state.OUTER or me != state.thread:
            return original(self, *args, **kwargs)
        if places.learning:
            places.learn("update")
        state.updating += 1
        state.enter(state.OPTIMIZER)
        try:
            return original(self, *args, **kwargs)
        finally:
            state.updating = 0
            state.leave(state.TAIL)
            if not trainer.inside:
                _ended(self)

    return apply


def _ended(optimizer: Any) -> None:
    who = 0
    try:
        who, new = _numbers.of(optimizer)
        if new:
            models.looped()
        models.early(optimizer, optimizer._trainable_variables)
    except Exception as error:
        job.quiet(error)
    job.updates += 1
    job.flags |= job.TRAINING | job.GRADIENTS
    job.boundary(job.UPDATE, who)
