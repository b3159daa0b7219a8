"""`tf.GradientTape` outside of a graph: what is recorded is the forward pass, what `gradient` does the backward."""

import functools
from _thread import get_ident
from typing import Any

from .. import job, places, state
from . import function

_open: list[Any] = []
"""The tape that opened the forward pass."""


def install(tensorflow: Any) -> None:
    tape = tensorflow.GradientTape
    original_enter, original_exit = tape.__enter__, tape.__exit__
    inside = tensorflow.inside_function

    @functools.wraps(original_enter)
    def __enter__(self: Any) -> Any:  # noqa: N807
        if state.now_in in state.OUTER and get_ident() == state.thread and not _open and not inside():
            if places.learning:
                places.learn("model")
            _open.append(self)
            state.enter(state.FORWARD)
        return original_enter(self)

    @functools.wraps(original_exit)
    def __exit__(self: Any, *args: Any) -> Any:  # noqa: N807
        try:
            return original_exit(self, *args)
        finally:
            if _open and _open[0] is self:
                _open.clear()
                state.leave(state.LOSS)

    tape.__enter__, tape.__exit__ = __enter__, __exit__
    for name in ("gradient", "jacobian", "batch_jacobian"):
        setattr(tape, name, _backward(getattr(tape, name), inside))
    from ..keras import layer

    layer.taped = lambda: bool(_open)


def _backward(original: Any, inside: Any) -> Any:
    @functools.wraps(original)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        if inside():
            function.differentiates()
            return original(*args, **kwargs)
        if state.now_in not in state.OUTER or get_ident() != state.thread:
            return original(*args, **kwargs)
        if places.learning:
            places.learn("backward")
        _note_loss(args, kwargs)
        state.enter(state.BACKWARD)
        try:
            return original(*args, **kwargs)
        finally:
            state.leave(state.POST)

    return gradient


def _note_loss(args: Any, kwargs: Any) -> None:
    """What gradients are taken of, if it is one number: `gradient(self, target, sources)`."""
    from ..keras import losses

    try:
        target = kwargs.get("target", args[1] if len(args) > 1 else None)
        if getattr(target, "shape", None) == () and target.dtype.is_floating:
            losses.note({"loss": target})
    except Exception as error:
        job.quiet(error)
