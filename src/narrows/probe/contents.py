"""Whether the datasets of several ranks hold the same samples: a fingerprint, or None where that cannot be told.

No sample is asked for: a dataset may draw, count or download. What it holds itself is looked at: a tensor, an array or a
list that is as long as it is.
"""

from typing import Any
from zlib import crc32

from . import inputs, job

FIRST = 64
"""Entries of a list."""
PLAIN = (str, bytes, int, float)


def fingerprint(dataset: Any) -> int | None:
    try:
        return _of(dataset, 0)
    except Exception as error:
        job.quiet(error)
        return None


def _of(dataset: Any, depth: int) -> int | None:
    kind = type(dataset).__name__
    parts: list[Any] = []
    if depth < 4 and kind == "Subset":  # its indices are what it holds
        parts = [_of(dataset.dataset, depth + 1), _held(list(dataset.indices))]
    elif depth < 4 and kind == "ConcatDataset":
        parts = [_of(each, depth + 1) for each in dataset.datasets]
    else:
        length = len(dataset)
        values = dataset.tensors if kind == "TensorDataset" else vars(dataset).values()
        held = [_held(value) for value in values if hasattr(value, "__len__") and _length(value) == length]
        parts = [length, *[each for each in held if each is not None]]
        if len(parts) == 1:
            return None
    return None if None in parts else crc32(repr(parts).encode())


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except Exception:  # a tensor without dimensions
        return None


def _held(value: Any) -> int | None:
    """Of a tensor, an array or a list of plain values; None of anything else."""
    torch = job.torch
    if isinstance(value, torch.Tensor):
        return crc32(repr(inputs.fingerprint(value)).encode())
    if type(value).__module__ == "numpy" and value.dtype.kind in "biuf":
        return crc32(repr(inputs.fingerprint(torch.from_numpy(value))).encode())
    if isinstance(value, (list, tuple)):
        few = value[:FIRST]
        flat = [part for each in few for part in (each if isinstance(each, tuple) else (each,))]
        return crc32(repr(few).encode()) if all(isinstance(each, PLAIN) for each in flat) else None
    return None
