"""Whether the datasets of several ranks hold the same samples: a fingerprint, or None where that cannot be told.

No sample is asked for: a dataset may draw, count or download. What it holds itself is looked at: a tensor, an array or a
list that is as long as it is; and of that only the beginning, as the rest may still be in a file.
"""

from typing import Any
from zlib import crc32

from . import inputs, job

FIRST = 64
"""Entries of a list."""
LONGEST = 200
"""Characters of one."""
ENOUGH = 1 << 14
"""Elements of a tensor."""
DEEPEST = 4
"""Datasets inside of datasets."""


def fingerprint(dataset: Any) -> int | None:
    try:
        return _of(dataset, 0)
    except Exception:  # a dataset may be anything, and many do not know how long they are
        return None


def _of(dataset: Any, depth: int) -> int | None:
    kind = type(dataset).__name__
    if depth < DEEPEST and kind == "Subset":
        parts = [_of(dataset.dataset, depth + 1), _held(list(dataset.indices[:FIRST])), len(dataset.indices)]
    elif depth < DEEPEST and kind == "ConcatDataset":
        parts = [_of(each, depth + 1) for each in dataset.datasets]
    else:
        length = len(dataset)
        every = [value for value in (*vars(dataset).values(), *getattr(dataset, "tensors", ())) if _is_plain(value)]
        known = [_held(value) for value in every if value is not None and _length(value) == length]
        parts = [length, *[each for each in known if each is not None]]
        if len(parts) == 1:
            return None
    return None if None in parts else crc32(repr(parts).encode())


def _is_plain(value: Any) -> bool:
    return isinstance(value, (list, job.torch.Tensor)) or type(value).__module__ == "numpy"


def _length(value: Any) -> int:
    return len(value) if not hasattr(value, "shape") else int(value.shape[0]) if value.shape else -1


def _held(value: Any) -> int | None:
    """Of a tensor, an array, or a list of numbers, texts or tuples of these; None of anything else."""
    torch = job.torch
    if type(value).__module__ == "numpy":
        value = torch.from_numpy(value) if value.dtype.kind in "biuf" else None
    if isinstance(value, torch.Tensor):
        rows = max(1, ENOUGH * len(value) // max(1, value.numel()))
        return crc32(repr((list(value.shape), inputs.fingerprint(value[:rows]))).encode())
    if isinstance(value, list):
        entries = [each if isinstance(each, tuple) else (each,) for each in value[:FIRST]]
        flat = [part[:LONGEST] if isinstance(part, (str, bytes)) else part for each in entries for part in each]
        return crc32(repr(flat).encode()) if all(isinstance(each, (str, bytes, int, float)) for each in flat) else None
    return None
