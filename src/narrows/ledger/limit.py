"""How fast this machine could do the step."""

from collections.abc import Sequence

from narrows.ledger.kernels import Kernel, bandwidth_at
from narrows.report.model import Ceilings, Limit
from narrows.spool.record import Process


def compulsory_bytes(process: Process, *, trains: bool) -> float:
    """Bytes that a step cannot avoid to move even if everything were fused: parameters are read (and, in training,
    read again by the backward and written by the update), the optimizer's state is read and written, and the
    batch is read once."""
    models = process.events.get("model", ())
    batch = process.last("values").get("input_bytes") or 0
    # A wrapper (DistributedDataParallel) and what it wraps are one model.
    parameters = max((m["bytes"] for m in models), default=0)
    held = sum(o["state_bytes"] for o in process.events.get("optimizer", ()))
    return float((3 * parameters + 2 * held if trains else parameters) + batch)


def same_ops(kernels: Sequence[Kernel]) -> float:
    """Seconds of the same ops, each at its ceiling and all else overlapped. An op that was faster than its ceiling
    says that the ceiling was measured too low; it counts with its own time."""
    return sum(min(k.limit, k.seconds) for k in kernels)


def above_ceiling(kernels: Sequence[Kernel]) -> float:
    """Seconds by which ops were faster than their ceilings allow: a check of the ceilings."""
    return sum(k.limit - k.seconds for k in kernels if k.limit > k.seconds and k.seconds > k.fixed)


def ideal(kernels: Sequence[Kernel], compulsory: float, ceilings: Ceilings) -> float:
    """Seconds with perfect fusion and the best dtype: all arithmetic at the highest floating peak, compulsory
    bytes at the bandwidth of memory, the two overlapped."""
    flops = sum(k.flops for k in kernels if k.cost.kind != "view")
    peak = max(rate for dtype, rate in ceilings.flops.items() if dtype != "int8")
    return max(flops / peak, compulsory / bandwidth_at(max(1.0, compulsory), ceilings))


def limit(process: Process, kernels: Sequence[Kernel], step: float, ceilings: Ceilings, *, trains: bool) -> Limit:
    """Both limits. Neither is ever above the measured step, nor the ideal one above the other."""
    same = min(same_ops(kernels), step)
    best = min(ideal(kernels, compulsory_bytes(process, trains=trains), ceilings), same)
    return Limit(same_ops_seconds=same, ideal_seconds=best, distance=step / same if same > 0 else 1.0)
