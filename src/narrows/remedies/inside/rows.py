"""Batches as rows, one for each sample: counted and cut."""

from __future__ import annotations

import copy
from collections import UserDict
from typing import Any

from . import nested


def count(tensor: Any, batch: Any) -> int | None:
    """The samples of a batch that can be cut: each of its tensors has them in its first dimension, and what is no
    tensor is a list of them. None if it cannot, or could be in two ways."""
    found = nested.tensors(tensor, _open(batch))
    sizes = {held.shape[0] if held.dim() else 0 for held in found}
    size = sizes.pop() if len(sizes) == 1 else 0
    return size if size and _fits(tensor, batch, size) else None


def _open(value: Any) -> Any:
    return value.data if isinstance(value, UserDict) else value


def _fits(tensor: Any, value: Any, size: int) -> bool:
    if isinstance(value, tensor):
        return True
    if type(value) is dict or isinstance(value, UserDict):
        return all(_fits(tensor, held, size) for held in value.values())
    if not isinstance(value, (tuple, list)):
        return False
    if not nested.tensors(tensor, value):
        return len(value) == size
    # As many tensors as samples may be one for each, and not one for each thing that a sample holds.
    return len(value) != size and all(_fits(tensor, held, size) for held in value)


def cut(tensor: Any, value: Any, begin: int, end: int) -> Any:
    """The samples from `begin` to `end`, in views."""
    if isinstance(value, tensor):
        return value[begin:end]
    if isinstance(value, UserDict):  # what tokenizers give
        made = copy.copy(value)
        made.data = cut(tensor, value.data, begin, end)
        return made
    if isinstance(value, dict):
        return {name: cut(tensor, held, begin, end) for name, held in value.items()}
    if not nested.tensors(tensor, value):
        return value[begin:end]
    items = [cut(tensor, held, begin, end) for held in value]
    return value._make(items) if hasattr(value, "_make") else type(value)(items)
