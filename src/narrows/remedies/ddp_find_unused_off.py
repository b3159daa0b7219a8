"""Parameters without a gradient are not looked for where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "ddp-find-unused-off"
CLASS = "exact"
RANKS = True
TEXT = {
    "en": (
        "Parameters without a gradient are not looked for",
        "Nothing, as long as every parameter has a gradient in each step. A model that leaves one out later ends with "
        "torch's error, or waits for it.",
    ),
    "zh": (
        "不再查找没有梯度的参数",
        "只要每一步每个参数都有梯度，结果就不变。若之后某步有参数没有梯度，torch 会报错或一直等待。",
    ),
}
NODE = 1e-6
"""Seconds, roughly, to walk through a node of the graph: one for each op of the forward."""
USED = 2e-4
"""Seconds of the exchange of which parameters were used."""
FEWEST = 3
"""Looks at the gradients, in which none was missing."""


def candidates(view: View) -> list[Candidate]:
    parallel = estimates.parallel(view)
    if not parallel or not parallel["find_unused"] or parallel["static_graph"] or unused(view) is not False:
        return []
    saved = searching(view)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def searching(view: View) -> float:
    """Seconds of a step that looking for them takes."""
    return USED + NODE * sum(k.calls for k in view.kernels if k.state == "forward")


def unused(view: View) -> bool | None:
    """Whether a rank was seen without one of its gradients; None if too few were looked at."""
    every = [p.events.get("gradients", ()) for p in (view.process, *view.others)]
    if any(look["unused"] for looks in every for look in looks):
        return True
    return False if all(len(looks) >= FEWEST for looks in every) else None


def apply(torch: Any, value: bool) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if given["find_unused_parameters"]:
            given["find_unused_parameters"] = False
            within.note(NAME)

    exchange.arguments(torch, NAME, change)


def by_hand(value: bool) -> str:
    return "model = DistributedDataParallel(model, find_unused_parameters=False)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.parallel import parallel

    return parallel(source, "find_unused_parameters", "False", only_given=True)
