"""`torch.cond` while a dispatch mode is open.

Where nothing is compiled, torch's own way through it takes the weights of its branches for constants and loses their
gradients. It compiles what it needs by itself; a mode that it must not see keeps it from that.
"""

import functools
from collections.abc import Callable
from typing import Any


def outside(torch: Any, mode: Any, compiling: Callable[[], Callable[[], None]]) -> Callable[[], None]:
    """From now on it runs outside of the mode: the ops in it are not seen. What is returned ends it. `compiling`: lets
    torch compile, until what it returns is called."""
    from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
        _get_current_dispatch_mode,
    )

    def without(original: Any, *given: Any) -> Any:
        if _get_current_dispatch_mode() is not mode:
            return original(*given)
        mode.__exit__(None, None, None)
        done = compiling()
        try:
            return original(*given)
        finally:
            done()
            mode.__enter__()

    return _instead(torch, without)


def called(torch: Any) -> Callable[[], None]:
    """From now on the branch is called as it is, so that all that it takes is seen. It is not quite the same: the weights
    of the other branch get no gradient, where torch gives them zeros. What is returned ends it."""

    def call(original: Any, pred: Any, true_fn: Any, false_fn: Any, operands: Any = ()) -> Any:
        # A tensor without a number has to go torch's own way.
        if type(pred) is not torch.Tensor or pred.numel() != 1:
            return original(pred, true_fn, false_fn, operands)
        return (true_fn if pred else false_fn)(*operands)

    return _instead(torch, call)


def _instead(torch: Any, make: Callable[..., Any]) -> Callable[[], None]:
    original = getattr(torch, "cond", None)
    if original is None:
        return lambda: None

    @functools.wraps(original)
    def cond(pred: Any, true_fn: Any, false_fn: Any, operands: Any = ()) -> Any:
        if torch.compiler.is_compiling():
            return original(pred, true_fn, false_fn, operands)
        return make(original, pred, true_fn, false_fn, operands)

    def done() -> None:
        if torch.cond is cond:
            torch.cond = original

    torch.cond = cond
    return done
