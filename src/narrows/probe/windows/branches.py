"""`torch.cond` while a dispatch mode is open.

Where nothing is compiled, torch's own way through it takes a branch's weights for constants and loses their gradients.
So the branch is called, which is what torch documents `cond` to be equal to.
"""

import functools
from collections.abc import Callable
from typing import Any


def called(torch: Any) -> Callable[[], None]:
    """From now on; what is returned ends it."""
    original = getattr(torch, "cond", None)
    if original is None:
        return lambda: None

    @functools.wraps(original)
    def cond(pred: Any, true_fn: Any, false_fn: Any, operands: Any = ()) -> Any:
        # A tensor without a number has to go torch's own way.
        if type(pred) is not torch.Tensor or pred.numel() != 1 or torch.compiler.is_compiling():
            return original(pred, true_fn, false_fn, operands)
        return (true_fn if pred else false_fn)(*operands)

    def done() -> None:
        if torch.cond is cond:
            torch.cond = original

    torch.cond = cond
    return done
