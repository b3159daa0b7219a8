"""Whether anything that is reached from an object has changed since: marks of all of it, to be compared later.

Nothing large is kept alive by its marks, and none of it is copied. Standard library only.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from typing import Any
from zlib import crc32

from .reached import PLAIN, reached

Marks = list[tuple[Any, Any]]
"""Of each value (which one it is, what is in it)."""
WHOLE = 4 << 20
"""Bytes of an array that are all looked at; of a larger one a part, which a shuffle does not leave as it was."""
SOME = 512
"""Elements of that part."""
ENTRIES = 1 << 20
"""Of a list, at most: one look takes tens of milliseconds then."""


def marks(torch: Any, *roots: Any) -> Marks:
    return [_mark(torch, value) for value in reached(torch, *roots)]


def same(before: Marks, now: Marks) -> bool:
    return len(before) == len(now) and all(a[0] is b[0] and a[1] == b[1] for a, b in zip(before, now, strict=True))


def _mark(torch: Any, value: Any) -> tuple[Any, Any]:
    if isinstance(value, PLAIN):
        return None, (type(value), value)
    if isinstance(value, (list, tuple, deque)):
        step = 1 + len(value) // ENTRIES
        some = value if step == 1 or isinstance(value, deque) else value[::step]
        return None, (len(value), hash(tuple(map(id, some))))
    if isinstance(value, (set, frozenset, dict)):
        held = (*dict.keys(value), *dict.values(value)) if isinstance(value, dict) else value
        return None, (len(value), hash(tuple(map(id, held))))
    try:
        which = weakref.ref(value)  # what is made anew may lie where this one was, so its address tells nothing
    except TypeError:
        return value, None
    try:
        return which, _content(torch, value)
    except Exception:
        return which, None


def _content(torch: Any, value: Any) -> Any:
    """Of a tensor or an array, which may be written to."""
    if isinstance(value, torch.Tensor):
        version = None if value.is_inference() else value._version
        if value.layout is not torch.strided or not value.is_contiguous():
            return version
        flat = value.detach().view(-1)  # NumPy may write to its memory, and does not count it
        part = flat[:: 1 + len(flat) // SOME].contiguous().cpu()
        return version, value.data_ptr(), bytes(part.view(torch.uint8).tolist())
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray) and value.flags.writeable:
        all_of_it = value.nbytes <= WHOLE
        return crc32(value.tobytes() if all_of_it else value.flat[:: 1 + value.size // SOME].tobytes())
    return None
