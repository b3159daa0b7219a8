"""Memory that is new in each step: its first touch makes the kernel find and clear a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows.findings.view import View

PAGE = 4096
MOST = 0.6
"""Share of the time in ops that this can be."""


def seconds(view: View, least: int) -> float:
    """What it costs in a step to take the pages of results of at least so many bytes, and to give them back."""
    from narrows.ledger import pages as pages_

    if view.process.cuda:
        return 0.0
    fresh = 0.0
    for kernel in view.kernels:
        if kernel.cost.kind != "view" and not kernel.name.endswith("_"):
            sizes = [size for size in map(_bytes, kernel.op.outputs) if size >= least]
            fresh += kernel.calls * sum(sizes)
    pages = fresh / PAGE
    counted = pages_.per_step(view.process, view.steps.per_step)
    if counted:
        pages = min(pages, counted)
    cost = pages_.seconds(pages, view.process.last("torch").get("threads") or 1, view.ceilings)
    return min(cost, MOST * (view.seconds("compute") + view.seconds("bandwidth")))


def _bytes(value: Any) -> int:
    return int(getattr(value, "bytes", 0))
