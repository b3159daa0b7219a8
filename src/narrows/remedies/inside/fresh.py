"""Memory that is new in each step: its first touch makes the kernel find and clear a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows.findings.view import View

PAGE = 4096
FAULT = 4e-7
"""Seconds for a page: finding and clearing it. Measured on virtual machines, 0.25 to 0.7 microseconds."""
MOST = 0.4
"""Share of the time in ops that this can be."""


def seconds(view: View, least: int) -> float:
    """What the first touches cost in a step, of results of at least so many bytes."""
    if view.process.first("torch").get("cuda"):
        return 0.0
    fresh = 0.0
    for kernel in view.kernels:
        if kernel.cost.kind != "view" and not kernel.name.endswith("_"):
            sizes = [size for size in map(_bytes, kernel.op.outputs) if size >= least]
            fresh += kernel.calls * sum(sizes)
    spent = view.seconds("compute") + view.seconds("bandwidth")
    return min(fresh / PAGE * FAULT, MOST * spent)


def _bytes(value: Any) -> int:
    return int(getattr(value, "bytes", 0))
