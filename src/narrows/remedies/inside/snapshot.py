"""A copy of what a script saves, as `copy.deepcopy` makes it, in a fifth of the time.

That takes 60 microseconds for a tensor, about as long as it takes to write a small one; a clone takes 5.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

LEAVES = frozenset((str, bytes, int, float, complex, bool, type(None)))


def snapshot(torch: Any, value: Any) -> Any:
    """Raises what `copy.deepcopy` raises."""
    try:
        return _copied(torch, value, {})
    except _OddError:
        return copy.deepcopy(value)


class _OddError(Exception):
    """Something that only a deep copy of the whole copies rightly."""


def _copied(torch: Any, value: Any, made: dict[int, Any]) -> Any:
    """`made`: the copies, by what they are copies of: containers, and the memory of tensors."""
    kind = type(value)
    if kind in LEAVES:
        return value
    if id(value) in made:
        return made[id(value)]
    if kind is torch.Tensor:
        copied = _clone(torch, value, made)
    elif kind is dict or kind is OrderedDict:
        copied = made[id(value)] = kind()
        for key, part in value.items():
            if type(key) not in LEAVES:
                raise _OddError
            copied[key] = _copied(torch, part, made)
        if kind is OrderedDict:  # `_metadata` of a model's state
            vars(copied).update(_copied(torch, vars(value), made))
    elif kind is list:
        copied = made[id(value)] = []
        copied.extend(_copied(torch, part, made) for part in value)
    elif kind is tuple:
        copied = tuple(_copied(torch, part, made) for part in value)
    else:
        raise _OddError
    made[id(value)] = copied
    return copied


def _clone(torch: Any, tensor: Any, made: dict[int, Any]) -> Any:
    """Of a tensor of which that is all that a deep copy does: it has the whole of its memory for itself, no gradient,
    nothing put on it."""
    if tensor.layout is not torch.strided or tensor.requires_grad or tensor.__dict__ or tensor.is_quantized:
        raise _OddError
    if tensor.is_conj() or tensor.is_neg() or not tensor.is_contiguous():
        raise _OddError
    storage = tensor.untyped_storage()
    memory = ~storage._cdata  # not to be taken for the `id` of something
    if memory in made or storage.nbytes() != tensor.nbytes:
        raise _OddError
    made[memory] = storage
    return tensor.clone()
