"""What a dataset is made of, and what of it forked workers would share or repeat. Standard library only."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from typing import Any

from .reached import reached

HANDLES = ("h5py", "lmdb", "netCDF4", "rasterio", "sqlite3", "tables")
"""Packages whose objects hold an open file, with a place in it or a cache of it, that no fork may share."""
NAMED = ("Environment", "VideoCapture", "VideoReader")
"""The same, of classes that do not say from which package they are (lmdb, cv2, decord)."""

STREAM = "each worker would give all samples of the stream"


def streams(torch: Any, dataset: Any) -> bool:
    """It gives its samples one after the other: there is no asking for one of them, and each worker gives all."""
    return isinstance(dataset, torch.utils.data.IterableDataset)


def innermost(torch: Any, dataset: Any) -> list[Any]:
    """What torch's own wrappers take their samples from."""
    if isinstance(dataset, torch.utils.data.Subset):
        return innermost(torch, dataset.dataset)
    if isinstance(dataset, torch.utils.data.ConcatDataset):
        return [inner for part in dataset.datasets for inner in innermost(torch, part)]
    return [dataset]


def draws(torch: Any, *roots: Any) -> bool:
    """One of these holds or names a generator of its own."""
    kinds = _generators(torch)
    return any(isinstance(value, kinds) for value in reached(torch, *roots))


def unfit(torch: Any, loader: Any) -> str:
    """Why the loader's dataset cannot be handed to forked workers; empty if it can."""
    if streams(torch, loader.dataset):
        return STREAM
    generators = _generators(torch)
    for value in reached(torch, loader.dataset, loader.collate_fn):
        kind = type(value).__name__
        if isinstance(value, generators):
            return f"it has a generator of its own ({kind}): each worker would draw the same numbers"
        if _open(value):
            return f"it holds what is open ({kind}): workers would share the place in it"
        if isinstance(value, Iterator) and not isinstance(value, io.IOBase):
            return f"it holds an iterator ({kind}): each worker would go on from the same place"
    return ""


def _generators(torch: Any) -> tuple[type, ...]:
    numpy = sys.modules.get("numpy")
    kinds: tuple[type, ...] = (random.Random, torch.Generator)
    return kinds + ((numpy.random.Generator, numpy.random.RandomState) if numpy is not None else ())


def _open(value: Any) -> bool:
    """A file that can be read (not a log), or what a library has opened."""
    if isinstance(value, io.IOBase):
        try:
            return not value.closed and value.readable() and value.fileno() >= 0
        except (OSError, ValueError, AttributeError):
            return False  # in memory
    return type(value).__module__.partition(".")[0] in HANDLES or type(value).__name__ in NAMED
