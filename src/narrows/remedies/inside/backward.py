"""Inside the job: how remedies reach its backwards. Standard library only."""

import functools
from collections.abc import Callable
from typing import Any


def through(torch: Any, make: Callable[..., Any]) -> None:
    """Let `make(call, tensors, ...)` make each outermost backward: a checkpointed block runs one inside of another."""
    original = torch.autograd.backward
    inside = [False]

    @functools.wraps(original)
    def backward(*args: Any, **kwargs: Any) -> Any:
        if inside[0]:
            return original(*args, **kwargs)
        inside[0] = True
        try:
            return make(original, *args, **kwargs)
        finally:
            inside[0] = False

    torch.autograd.backward = backward


def losses(torch: Any, tensors: Any) -> list[Any]:
    """What it runs from."""
    return [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)


def weighted(torch: Any, found: list[Any], given: Any, weight: float) -> list[Any]:
    """The gradients to begin with (`grad_tensors`), so that each loss counts that much; `given`: those of the script."""
    every = given if isinstance(given, (tuple, list)) else [given] * len(found)
    return [
        torch.full_like(each, weight) if gradient is None else gradient * weight
        for each, gradient in zip(found, every, strict=True)
    ]
