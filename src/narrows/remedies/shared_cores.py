"""Batches are made by worker processes, and ops leave them the cores for it.

On a machine of few cores workers alone may gain nothing, and fewer threads alone neither: threads that wait for a core
hold up all others of their op.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import loader_workers, threads
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "shared-cores"
CLASS = "exact"
TEXT = {
    "en": (
        "Batches are made by worker processes, on cores that ops leave to them",
        "As for loader-workers and threads: augmentations differ as from seed to seed, and sums are split into other parts.",
    ),
    "zh": (
        "由工作进程生成批数据，算子为其让出核心",
        "同 loader-workers 与 threads：增强结果会像更换种子那样不同，求和的切分方式也不同。",
    ),
}


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    spent = view.steady.seconds["next"]
    used = view.process.last("torch").get("threads") or 1
    if (
        not loader
        or loader["workers"]
        or loader_workers.streams(loader)
        or view.process.cuda
        or view.cores < 2
        or view.share(spent) < 0.03
    ):
        return []
    found = []
    for workers in sorted({1, view.cores // 2}):
        if used <= view.cores - workers:
            continue  # there is room for them: loader-workers is enough
        slower = threads.seconds(view, view.cores - workers) - threads.seconds(view, used)
        saved = view.step - max(view.step - spent + slower, spent / workers)
        if saved > 0:
            found.append(Candidate(value=f"{workers}+{view.cores - workers}", seconds=saved))
    return found


def apply(torch: Any, value: str) -> None:
    workers, left = _split(value)
    threads.apply(torch, left)
    loader_workers.apply(torch, workers)
    within.note(NAME, workers=workers, threads=left)


def environment(value: str) -> dict[str, str]:
    return threads.environment(_split(value)[1])


def by_hand(value: str) -> str:
    workers, left = _split(value)
    return f"{loader_workers.by_hand(workers)}\n{threads.by_hand(left)}"


def _split(value: str) -> tuple[int, int]:
    """(workers, threads) of `1+3`. Raises `ValueError`."""
    workers, left = value.split("+")
    return int(workers), int(left)
