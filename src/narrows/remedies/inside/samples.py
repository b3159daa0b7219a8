"""What a dataset returns (nested tensors, arrays and numbers): copied, compared and weighed. Standard library only."""

import sys
from typing import Any


def copy(value: Any, torch: Any) -> Any:
    """A copy that shares no memory, so that what the script does to a sample stays with it."""
    kind = type(value)
    if value is None or kind in (int, float, bool, str, bytes, complex):
        return value
    if kind is torch.Tensor and not value.requires_grad and value.layout == torch.strided:
        return value.clone()
    if kind in (list, tuple):
        return kind(copy(item, torch) for item in value)
    if kind is dict:
        return {key: copy(item, torch) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*(copy(item, torch) for item in value))
    numpy = sys.modules.get("numpy")
    if numpy is not None and (isinstance(value, numpy.generic) or (kind is numpy.ndarray and value.dtype != object)):
        return value.copy()
    raise TypeError(f"a sample holds {kind.__name__}")


def same(a: Any, b: Any, torch: Any) -> bool:
    """Whether two samples are the same, to the last bit."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        # What is not a number is the same as itself.
        alike = a.shape == b.shape and a.dtype == b.dtype and a.device == b.device
        return alike and bool(((a == b) | ((a != a) & (b != b))).all())
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, torch) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key], torch) for key in a)
    if hasattr(a, "tobytes"):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    return bool(a == b or (a != a and b != b))


def size(value: Any, torch: Any) -> int:
    """In bytes, roughly."""
    if isinstance(value, torch.Tensor):
        return int(value.numel() * value.element_size()) + 200
    if isinstance(value, dict):
        return 100 + sum(size(item, torch) for item in value.values())
    if isinstance(value, (list, tuple)):
        return 60 + sum(size(item, torch) for item in value)
    return int(getattr(value, "nbytes", 0)) + sys.getsizeof(value)
