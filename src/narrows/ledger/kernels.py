"""The ops of a step: how long each one's arithmetic and memory traffic took, what bounds it, and its limit.

An op's time in the deep window is a fixed cost (Python calling it, the dispatcher, allocating the output) and the
kernel itself. The fixed cost is measured on this machine by running the same op at its smallest size; what is
above it is the kernel. Kernels are what `compute` and `bandwidth` are made of; the rest of the time in the
framework's states is `overhead`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from typing import Literal

from narrows.ledger.cost import Cost, cost
from narrows.report.model import Ceilings
from narrows.spool.record import Op, Window

UNKNOWN_FIXED = 5e-6
"""Seconds; for an op that cannot be called at a smaller size, unless it was itself seen to be faster."""

Bound = Literal["compute", "bandwidth"]


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """All calls of one kind in a step. Seconds, flops and bytes are per step."""

    name: str
    state: str
    where: tuple[str, int] | None
    calls: float
    seconds: float
    """In the kernel."""
    fixed: float
    """Around it."""
    flops: float
    bytes: float
    bound: Bound
    limit: float
    """max(flops / peak, bytes / bandwidth), as it comes from the ceilings."""
    dtype: str
    by_shape: bool
    op: Op
    cost: Cost


def kernels(
    windows: Sequence[Window], per_step: float, fixed: Callable[[Op], float | None], ceilings: Ceilings
) -> tuple[Kernel, ...]:
    """The kernels of an average deep step; empty if no op window was open for a whole step."""
    deep = [w for w in windows if w.kind == "ops"]
    turns = sum(w.steps for w in deep) / per_step
    if turns < 0.5:
        return ()
    merged: dict[tuple[str, ...], list[Op]] = {}
    for window in deep:
        for op in window.ops:
            merged.setdefault((op.name, op.overload, op.state, str(op.where), str(op.raw[1:3])), []).append(op)
    return tuple(_kernel(ops, turns, fixed, ceilings) for ops in merged.values())


def _kernel(
    ops: Sequence[Op], turns: float, fixed: Callable[[Op], float | None], ceilings: Ceilings
) -> Kernel:
    op = ops[0]
    count = sum(o.count for o in ops)
    each = sum(o.ns for o in ops) / count / 1e9
    fastest = min(o.fastest_ns for o in ops) / 1e9
    alone = fixed(op)
    # A call was once as fast as `fastest`, so its fixed cost is no more than that.
    around = min(fastest, UNKNOWN_FIXED if alone is None else alone)
    price = cost(op)
    moved = price.bytes_read + price.bytes_written
    peak = peak_of(price, ceilings)
    balance = peak / ceilings.bandwidth
    limit = max(price.flops / peak, moved / bandwidth_at(moved, ceilings)) if moved or price.flops else 0.0
    calls = count / turns
    kernel = 0.0 if price.kind == "view" else max(0.0, each - around)
    return Kernel(
        name=op.name,
        state=op.state,
        where=op.where,
        calls=calls,
        seconds=calls * kernel,
        fixed=calls * around,
        flops=calls * price.flops,
        bytes=calls * moved,
        bound="compute" if price.flops > balance * moved else "bandwidth",
        limit=calls * limit,
        dtype=price.dtype,
        by_shape=price.by_shape,
        op=op,
        cost=price,
    )


def peak_of(price: Cost, ceilings: Ceilings) -> float:
    """Operations per second that this machine reached with that dtype; float32's where it was not measured."""
    known = ceilings.flops
    rate = known.get(price.dtype) or known.get("float32") or max(known.values())
    if price.kind == "convolution":
        return max(rate, ceilings.convolution.get(price.dtype, 0.0))
    return rate


def bandwidth_at(size: float, ceilings: Ceilings) -> float:
    """Bytes per second for a working set of that many bytes: small ones stay in the caches.

    Between two measured sizes the rate is interpolated on a logarithmic scale. A larger set is never taken to be
    faster than a smaller one.
    """
    points = sorted(ceilings.bandwidth_by_size)
    if not points:
        return ceilings.bandwidth
    best = 0.0
    falling: list[tuple[int, float]] = []
    for bytes_, rate in reversed(points):
        best = max(best, rate)
        falling.append((bytes_, best))
    falling.reverse()
    if size <= falling[0][0]:
        return falling[0][1]
    for (low, fast), (high, slow) in zip(falling, falling[1:], strict=False):
        if size <= high:
            part = (log2(size) - log2(low)) / (log2(high) - log2(low))
            return fast + part * (slow - fast)
    return falling[-1][1]
