"""Batches are made by worker processes while the step runs."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Any

from . import persistent_workers
from .candidate import Candidate
from .inside import within

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
MOST_BY_CORE = 4
"""Workers for each core that are tried."""


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    spent = view.steady.seconds["next"]
    if not loader or view.cores < 2 or view.share(spent) < 0.03:
        return []
    rest = view.step - spent
    found = []
    for workers in sorted({1, min(2, view.cores), view.cores} - {loader["workers"]}):
        # What the workers take of the cores, the step lacks.
        saved = min(spent, rest * workers) - rest * min(0.5, spent / view.step / workers)
        if workers > loader["workers"] and saved > 0:
            found.append(Candidate(value=workers, seconds=saved))
    return found


def beyond(value: int) -> list[int]:
    """More than there are cores, where workers wait for a disk or a network."""
    return [2 * value] if 2 * value <= MOST_BY_CORE * (os.cpu_count() or 1) else []


def apply(torch: Any, value: int) -> None:
    persistent_workers.apply(torch, True)  # first, so that it sees the loader with its workers

    def change(loader: Any, given: dict[str, Any]) -> None:
        if given["num_workers"] < value:
            given["num_workers"] = value
            within.note(NAME, workers=value)

    within.arguments(NAME, torch.utils.data.DataLoader, change)


def by_hand(value: int) -> str:
    return f"DataLoader(..., num_workers={value}, persistent_workers=True)"


def edit(source: str, value: int) -> str | None:
    from narrows.edits.loader import kept_apart, loaders, workers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        held = workers(call)
        if not isinstance(held, int):
            return None
        more = {"num_workers": str(value)} if held < value else {}
        return {**more, "persistent_workers": "True"}

    return loaders(source, wanted) if kept_apart(source) else None
