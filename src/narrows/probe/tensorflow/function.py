"""Calls of a `tf.function`, the outermost: in a loop of the job's own, the step or a part of it.

What such a graph does is known from when it was traced: an optimizer's update in it makes it a training step.
"""

import functools
import weakref
from _thread import get_ident
from typing import Any

from .. import job, places, state

_updates: Any = weakref.WeakSet()
_differentiates: Any = weakref.WeakSet()
_current: Any = None
"""The outermost function that runs (or is traced) now."""
_traced: dict[str, list[Any]] = {}
"""By name: graphs made of it, and where it was called."""


def install(tensorflow: Any) -> None:
    kind = type(tensorflow.function(lambda: None))
    original = kind.__call__

    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        global _current
        at = state.now_in
        if at not in state.GAPS or get_ident() != state.thread:
            return original(self, *args, **kwargs)
        evaluates = job.updates > 0 and self not in _updates and self not in _differentiates
        _current = self
        state.enter(state.EVALUATE if evaluates else state.GRAPH)
        try:
            result = original(self, *args, **kwargs)
        finally:
            _current = None
            if places.learning:  # what it is, is known once it is traced
                places.learn("update" if self in _updates else "model")
            state.leave(at if evaluates else state.TAIL if self in _updates else state.LOSS)
        if not evaluates:
            _ended(self, args, kwargs, result)
        return result

    kind.__call__ = __call__
    _join_keras(tensorflow)
    job.at_end.append(lambda: job.spool.event("traced", functions=[[name, *told] for name, told in _traced.items()]))


def made(name: str) -> None:
    """A graph was made of a function of that name; those of its loops and branches are not counted."""
    if not name.startswith(("while_", "cond_")):
        told = _traced.setdefault(name, [0, places.here()])
        told[0] += 1


def differentiates() -> None:
    """Gradients are taken in the function that is traced now."""
    if _current is not None:
        _differentiates.add(_current)


def changes_weights() -> None:
    """The function that is traced now takes a difference away from variables, as a step written by hand does."""
    if _current is not None and _current in _differentiates:
        _updates.add(_current)


def _ended(function: Any, args: Any, kwargs: Any, result: Any) -> None:
    from ..keras import losses, models

    try:
        models.looped()
        job.forwards += 1
        job.samples += _samples(args, kwargs)
        if function in _updates:
            losses.note({"loss": _scalar(result)})
    except Exception as error:
        job.quiet(error)
    if function in _updates:
        job.updates += 1
        job.flags |= job.TRAINING | job.GRADIENTS
        job.boundary(job.UPDATE, 0)
    elif not job.updates and function not in _differentiates:
        job.boundary(job.CALL, 0)


def _samples(args: Any, kwargs: Any) -> int:
    """Rows of the first tensor that is given."""
    for value in (*args, *kwargs.values()):
        while isinstance(value, (list, tuple, dict)) and value:
            value = next(iter(value.values())) if isinstance(value, dict) else value[0]
        shape = getattr(value, "shape", None)
        if shape is not None and len(shape):
            return int(shape[0])
    return 0


def _scalar(result: Any) -> Any:
    """The loss, if that is what the function returns: a single number, alone or first."""
    value = result[0] if isinstance(result, (list, tuple)) and result else result
    return value if getattr(value, "shape", None) == () and value.dtype.is_floating else None


def _join_keras(tensorflow: Any) -> None:
    """Keras' own hooks are told when a graph is made instead of run."""
    from ..keras import layer, optimizer

    inside = tensorflow.inside_function

    def in_graph(optimizer: Any) -> bool:
        if not inside():
            return False
        if _current is not None:
            _updates.add(_current)
        scopes.add(str(optimizer.name))
        return True

    optimizer.in_graph = in_graph
    layer.in_graph = inside


scopes: set[str] = set()
"""Names under which optimizers put their ops into a graph."""
