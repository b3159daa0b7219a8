"""Which parameters have gradients is found out in the first step, and not in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ddp_find_unused_off, estimates
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "ddp-static-graph"
CLASS = "exact"
RANKS = True
TEXT = {
    "en": (
        "Which parameters have gradients is found out in the first step only",
        "Nothing, as long as every step uses the same parameters. If that changes, the job ends with torch's error.",
    ),
    "zh": (
        "只在第一步确定哪些参数有梯度",
        "只要每一步用到的参数相同，结果就不变。若有变化，torch 会报错结束。",
    ),
}


def candidates(view: View) -> list[Candidate]:
    parallel = estimates.parallel(view)
    # Where none is unused, not to look for them is the simpler remedy.
    if not parallel or not parallel["find_unused"] or parallel["static_graph"] or not _same_unused(view):
        return []
    saved = ddp_find_unused_off.searching(view)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def _same_unused(view: View) -> bool:
    """Each look at each rank's gradients missed the same ones, and some."""
    if not ddp_find_unused_off.unused(view):
        return False
    every = [p.events.get("gradients", ()) for p in (view.process, *view.others)]
    missed = {(tuple(look["unused"]), look["unused_elements"]) for looks in every for look in looks}
    return len(missed) == 1 and all(len(looks) >= ddp_find_unused_off.FEWEST for looks in every)


def apply(torch: Any, value: bool) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if not given["static_graph"]:
            # Torch warns of what is asked for twice.
            given.update(static_graph=True, find_unused_parameters=False)
            within.note(NAME)

    exchange.arguments(torch, NAME, change)


def by_hand(value: bool) -> str:
    return "model = DistributedDataParallel(model, static_graph=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.parallel import parallel

    found = parallel(source, "find_unused_parameters", "False", only_given=True)
    return found if found is None else parallel(found, "static_graph", "True")
