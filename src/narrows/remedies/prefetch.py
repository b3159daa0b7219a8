"""Workers make more batches ahead."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "prefetch"
CLASS = "exact"
TEXT = {
    "en": (
        "Each worker makes more batches ahead",
        "Nothing in the results. Each worker holds that many batches in memory.",
    ),
    "zh": ("每个工作进程预先生成更多批数据", "结果不变。每个工作进程在内存里多保存这么多批数据。"),
}
AHEAD = (4, 8)
PART = 0.3
"""Of the waiting, what more batches in store even out."""


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    spent = view.steady.seconds["next"]
    if not loader or not loader["workers"] or view.share(PART * spent) < 0.02:
        return []
    makers = [w.last("fetches") for w in view.workers if w.last("fetches")]
    batches = sum(m["batches"] for m in makers)
    if batches:
        each = sum(m["fetch_ns"] for m in makers) / batches / 1e9
        if each / loader["workers"] > 1.1 * view.step:
            return []  # the workers cannot keep up: a larger store would be just as empty
    return [
        Candidate(value=ahead, seconds=PART * spent * (1 - 1 / ahead))
        for ahead in AHEAD
        if ahead > (loader["prefetch"] or 2)
    ]


def apply(torch: Any, value: int) -> None:
    def change(loader: Any, given: dict[str, Any]) -> None:
        if given["num_workers"] > 0 and (given["prefetch_factor"] or 2) < value:
            given["prefetch_factor"] = value
            within.note(NAME, ahead=value)

    within.arguments(NAME, torch.utils.data.DataLoader, change)


def by_hand(value: int) -> str:
    return f"DataLoader(..., prefetch_factor={value})"


def edit(source: str, value: int) -> str | None:
    from narrows.edits.arguments import given
    from narrows.edits.loader import loaders, workers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        held, ahead = workers(call), given(call, "prefetch_factor")
        if isinstance(ahead, ast.Constant) and isinstance(ahead.value, int) and ahead.value >= value:
            return {}
        if isinstance(held, ast.expr):
            # Without workers it is an error.
            return {"prefetch_factor": f"{value} if {ast.unparse(held)} > 0 else None"}
        return None if held is None else {"prefetch_factor": str(value)} if held > 0 else {}

    return loaders(source, wanted)
