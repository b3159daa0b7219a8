"""Batches are made by worker processes while the step runs."""

from __future__ import annotations

import ast
import os
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import persistent_workers
from .candidate import Candidate
from .inside import datasets, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "loader-workers"
CLASS = "exact"
TEXT = {
    "en": (
        "Batches are made by worker processes",
        "Each worker holds a copy of the dataset object. Random numbers drawn in the dataset come from the workers' own "
        "generators, so augmentations differ as they do from seed to seed.",
    ),
    "zh": (
        "由工作进程生成批数据",
        "每个工作进程持有一份数据集对象。数据集里的随机数来自工作进程自己的生成器，因此增强结果会像更换种子那样不同。",
    ),
}
GIVEN = ("num_workers", "persistent_workers", "prefetch_factor")
MOST_BY_CORE = 4
"""Workers for each core that are tried."""


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    spent = view.steady.seconds["next"]
    if not loader or streams(loader) or view.cores < 2 or view.share(spent) < 0.03:
        return []
    rest = view.step - spent
    found = []
    for workers in sorted({1, min(2, view.cores), view.cores} - {loader["workers"]}):
        # What the workers take of the cores, the step lacks.
        saved = min(spent, rest * workers) - rest * min(0.5, spent / view.step / workers)
        if workers > loader["workers"] and saved > 0:
            found.append(Candidate(value=workers, seconds=saved))
    return found


def streams(loader: Mapping[str, Any]) -> bool:
    """Its dataset gives its samples one after the other, by the script's own `__iter__`: each worker would give all."""
    return (loader.get("sample") or ("", 0, ""))[2] == "__iter__"


def beyond(value: int) -> list[int]:
    """More than there are cores, where workers wait for a disk or a network."""
    return [2 * value] if 2 * value <= MOST_BY_CORE * (os.cpu_count() or 1) else []


def apply(torch: Any, value: int) -> None:
    persistent_workers.apply(torch, True)  # first, so that it sees the loader with its workers
    loader_class = torch.utils.data.DataLoader
    asked: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()
    """What the script asked for, of each loader that was given more."""
    by_dataset: dict[int, dict[str, Any]] = {}
    noted: weakref.WeakSet[Any] = weakref.WeakSet()

    def change(loader: Any, given: dict[str, Any]) -> None:
        dataset = given["dataset"]
        if given["num_workers"] < value:
            if datasets.streams(torch, dataset):
                raise RuntimeError(datasets.STREAM)
            asked[loader] = by_dataset[id(dataset)] = {name: given[name] for name in GIVEN}
            given["num_workers"] = value
        elif given["num_workers"] == value and id(dataset) in by_dataset:
            asked[loader] = by_dataset[id(dataset)]  # trainers make loaders again, from those that they were given

    within.arguments(NAME, loader_class, change)

    def look(loader: Any) -> None:
        if loader not in asked:
            return
        why = _unfit(torch, loader)
        if why:
            # Here, and not where the loader is made: a dataset may have opened its file meanwhile.
            vars(loader).update(asked.pop(loader), _iterator=None)
            within.fault(NAME, RuntimeError(f"{type(loader.dataset).__name__}: {why}"))
        elif loader not in noted and loader.num_workers == value:
            noted.add(loader)
            within.note(NAME, workers=value)

    within.watch(loader_class, "__iter__", look)


def _unfit(torch: Any, loader: Any) -> str:
    try:
        return datasets.unfit(torch, loader)
    except Exception as error:
        return repr(error)


def by_hand(value: int) -> str:
    return f"DataLoader(..., num_workers={value}, persistent_workers=True)"


def edit(source: str, value: int) -> str | None:
    from narrows.edits.iterated import one_at_a_time
    from narrows.edits.loader import kept_apart, loaders, shared, streams, workers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        held = workers(call)
        if not isinstance(held, int):
            return None
        more = {"num_workers": str(value)} if held < value else {}
        return {**more, "persistent_workers": "True"}

    safe = kept_apart(source) and one_at_a_time(source) and not streams(source) and not shared(source)
    return loaders(source, wanted) if safe else None
