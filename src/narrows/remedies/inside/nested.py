"""Tensors inside of what a model is given and what it answers: tuples, lists, dicts, and classes that are dicts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any


def changed(tensor: type, value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with `change` made to each tensor in it. What holds no changed tensor stays the same object."""
    if isinstance(value, tensor):
        return change(value)
    if isinstance(value, dict):
        named = {name: changed(tensor, held, change) for name, held in value.items()}
        if all(named[name] is held for name, held in value.items()):
            return value
        if type(value) is dict:
            return named
        made = copy.copy(value)  # what else it has stays: a default, attributes
        for name, held in named.items():
            made[name] = held
        return made
    if isinstance(value, (tuple, list)):
        items = [changed(tensor, held, change) for held in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        if hasattr(value, "_make"):
            return value._make(items)
        return type(value)(items)
    return value


def cast(torch: Any, value: Any, came: Any, goes: Any) -> Any:
    """The value with its tensors of dtype `came` in dtype `goes`."""
    return changed(torch.Tensor, value, lambda held: held.to(goes) if held.dtype is came else held)


def tensors(tensor: type, value: Any) -> list[Any]:
    """All tensors in it, in the order in which `changed` meets them."""
    found: list[Any] = []

    def keep(held: Any) -> Any:
        found.append(held)
        return held

    changed(tensor, value, keep)
    return found


def form(tensor: Any, value: Any) -> Any:
    """What the value is besides its tensors' numbers, to compare and to look up. Raises `TypeError` for what is
    neither tensors nor plain: objects with a state of their own, such as a cache of keys and values."""
    if isinstance(value, tensor):
        return (tuple(value.shape), value.dtype, value.device)
    if isinstance(value, dict):
        return (type(value), *((name, form(tensor, held)) for name, held in value.items()))
    if isinstance(value, (tuple, list)):
        return (type(value), *(form(tensor, held) for held in value))
    if value is None or isinstance(value, (bool, int, float, str)):
        return (type(value), value)
    raise TypeError(f"{type(value).__name__} is no tensor")
