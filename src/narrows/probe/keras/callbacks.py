"""The callbacks of `fit` that the user asked for, each timed by itself; Keras' progress bar and history are Keras' own."""

import functools
import inspect
from _thread import get_ident
from time import perf_counter_ns as clock
from typing import Any

from .. import job, state

METHODS = tuple(
    f"on_{what}_{when}"
    for what in ("epoch", "batch", "train_batch", "test_batch", "predict_batch", "train", "test", "predict")
    for when in ("begin", "end")
)
OWN = ("ProgbarLogger", "History", "CallbackList")
SAVES = ("ModelCheckpoint", "BackupAndRestore", "SwapEMAWeights")
_MARK = "_narrows_timed"
_spent: dict[tuple[str, str], list[Any]] = {}
"""By class and method: ns, calls, where it is defined."""


def install(keras: Any) -> None:
    lists = keras.callbacks.CallbackList
    original = lists.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        try:
            for callback in self.callbacks:
                if type(callback).__name__ not in OWN:
                    watch(callback)
        except Exception as error:
            job.quiet(error)

    lists.__init__ = __init__
    job.at_end.append(_tell)


def watch(callback: Any) -> None:
    """Time the methods that do something: where their class defines them, or where the callback itself has them."""
    for name in METHODS:
        if name in vars(callback):  # LambdaCallback
            setattr(callback, name, _timed(vars(callback)[name], type(callback).__name__, name))
            continue
        owner = next((c for c in type(callback).__mro__ if name in vars(c)), None)
        function = vars(owner).get(name) if owner is not None else None
        if inspect.isfunction(function) and not getattr(function, "_is_default", False):
            setattr(owner, name, _timed(function, type(callback).__name__, name))


def _timed(original: Any, owner: str, name: str) -> Any:
    if getattr(original, _MARK, False) or not callable(original):
        return original
    inner = inspect.unwrap(original)
    code = getattr(inner, "__code__", None)
    where = [code.co_filename, code.co_firstlineno, name] if code is not None else None
    saves = owner in SAVES
    to = state.SAVE if saves else state.CALLBACK

    @functools.wraps(original)
    def timed(*args: Any, **kwargs: Any) -> Any:
        at = state.now_in
        if at not in state.OUTER or get_ident() != state.thread:
            return original(*args, **kwargs)
        state.enter(to)
        began = clock()
        try:
            return original(*args, **kwargs)
        finally:
            spent = clock() - began
            state.leave(at)
            told = _spent.get((owner, name))
            if told is None:
                told = _spent[owner, name] = [0, 0, where]
                if saves:
                    job.spool.event("save", where=where)
            told[0] += spent
            told[1] += 1

    setattr(timed, _MARK, True)
    return timed


def _tell() -> None:
    if _spent:
        seen = [[owner, name, ns, calls, where] for (owner, name), (ns, calls, where) in _spent.items()]
        job.spool.event("callbacks", seen=seen)
