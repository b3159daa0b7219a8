"""The ops of a step: how long each one's arithmetic and memory traffic took, what bounds it, and its limit.

An op's time in the deep window is a fixed cost (Python calling it, the dispatcher, allocating the output) and the
kernel itself. The fixed cost is measured on this machine by running the same op at its smallest size; what is
above it is the kernel. Kernels are what `compute` and `bandwidth` are made of; the rest of the time in the
framework's states is `overhead`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import Literal

from narrows.ledger.cost import Cost, cost
from narrows.report.model import Ceilings
from narrows.spool.record import TENSORFLOW, Op, Window

UNKNOWN_FIXED = 5e-6
"""Seconds; for an op that cannot be called at a smaller size, unless it was itself seen to be faster."""
RECORDED_FIXED = 1e-6
"""Seconds; for an op of TensorFlow: what its profiler records begins after the dispatch, so that the output's allocation is
all that is fixed in it."""
NOTHING_TO_DO = 0.02
"""An op whose limit is less than this share of its time has next to nothing to compute or to move ..."""
MOSTLY_FIXED = 5.0
"""... and one that takes less than so many times its fixed cost is all overhead. Above that it may be a kernel that
is simply bad, and that is no fixed cost."""
TINY, SMALL = 2e-7, 5e-5
"""Seconds. What could be done in 0.2 microseconds (20 KiB, in a cache) and takes less than 50 was held up by
something else, whatever its fixed cost is in a quiet loop: on a busy machine one op can take ten times as long."""
HELD_UP = 1e-3
"""So is an op of known shape that could be done in this share of its time: a small product whose threads wait for a
core takes milliseconds. The worst kernels known (denormals, a dtype in software) are about 100 times off."""
COLDEST = 4.0
"""The most by which fixed costs in the job may exceed those of the same call in a tight loop."""

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
    windows: Sequence[Window],
    per_step: float,
    fixed: Callable[[Op], float | None],
    ceilings: Ceilings,
    drift: float = 1.0,
) -> tuple[Kernel, ...]:
    """The kernels of an average deep step; empty if no op window was open for a whole step.

    `drift` is how much slower the steady step is than the undisturbed steps around the windows: the machine's speed
    changes, and what was measured then is scaled to what is explained now.
    """
    deep = [w for w in windows if w.kind == "ops"]
    turns = sum(w.steps for w in deep) / per_step
    if turns < 0.5:
        return ()
    merged: dict[tuple[str, ...], list[Op]] = {}
    for window in deep:
        for op in window.ops:
            merged.setdefault((op.name, op.overload, op.state, str(op.where), str(op.raw[1:3])), []).append(op)
    calls = [_call(ops, turns, fixed, ceilings, drift) for ops in merged.values()]
    cold = coldness(calls)
    return tuple(_kernel(call, cold) for call in calls)


@dataclass(frozen=True, kw_only=True)
class _Call:
    op: Op
    cost: Cost
    calls: float
    each: float
    """Seconds of a call, all in."""
    around: float
    """Its fixed cost in a tight loop."""
    limit: float
    peak: float
    bandwidth: float
    """Of memory proper: what decides on which side of the machine's balance an op is."""

    @property
    def tiny(self) -> bool:
        if self.limit >= NOTHING_TO_DO * self.each:
            return False
        waits = self.cost.by_shape and self.limit < HELD_UP * self.each
        return waits or self.each < MOSTLY_FIXED * self.around or (self.limit < TINY and self.each < SMALL)


def _call(
    ops: Sequence[Op], turns: float, fixed: Callable[[Op], float | None], ceilings: Ceilings, drift: float
) -> _Call:
    op = ops[0]
    count = sum(o.count for o in ops)
    alone = fixed(op)
    # A call was once as fast as `fastest`, so its fixed cost is no more than that.
    unknown = RECORDED_FIXED if op.name.startswith(TENSORFLOW) else UNKNOWN_FIXED
    around = min(min(o.fastest_ns for o in ops) / 1e9, unknown if alone is None else alone)
    price = cost(op)
    moved = price.bytes_read + price.bytes_written
    limit = max(price.flops / peak_of(price, ceilings), moved / bandwidth_at(moved, ceilings)) if moved else 0.0
    return _Call(
        op=op, cost=price, calls=count / turns, each=drift * sum(o.ns for o in ops) / count / 1e9, around=around,
        limit=limit, peak=peak_of(price, ceilings), bandwidth=ceilings.bandwidth,
    )  # fmt: skip


def coldness(calls: Sequence[_Call]) -> float:
    """How much more an op's fixed cost is in the job than in a tight loop, where its code is always in the caches.

    Taken from the ops that have next to nothing to do: all of their time is fixed cost. 1 if there are none.
    """
    tiny = [c for c in calls if c.tiny]
    alone = sum(c.calls * c.around for c in tiny)
    seen = sum(c.calls * c.each for c in tiny)
    return min(COLDEST, max(1.0, seen / alone)) if alone > 0 else 1.0


def _kernel(call: _Call, cold: float) -> Kernel:
    price, around = call.cost, min(call.each, cold * call.around)
    moved = price.bytes_read + price.bytes_written
    if price.kind == "view":
        kernel = 0.0
    elif call.tiny:
        kernel = min(call.limit, call.each)
    else:
        kernel = call.each - around
    balance = call.peak / call.bandwidth
    return Kernel(
        name=call.op.name,
        state=call.op.state,
        where=call.op.where,
        calls=call.calls,
        seconds=call.calls * kernel,
        fixed=call.calls * (call.each - kernel),
        flops=call.calls * price.flops,
        bytes=call.calls * moved,
        bound="compute" if price.flops > balance * moved else "bandwidth",
        limit=call.calls * call.limit,
        dtype=price.dtype,
        by_shape=price.by_shape,
        op=call.op,
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
    for (low, fast), (high, slow) in pairwise(falling):
        if size <= high:
            part = (log2(size) - log2(low)) / (log2(high) - log2(low))
            return fast + part * (slow - fast)
    return falling[-1][1]
