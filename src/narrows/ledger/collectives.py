"""The collectives of a step, from the ops that start them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from narrows.spool.record import Op, Process, Tensor

KINDS = {
    "allreduce": "all-reduce", "allreduce_coalesced": "all-reduce", "all_reduce": "all-reduce",
    "all_reduce_coalesced": "all-reduce",
    "allgather": "all-gather", "_allgather_base": "all-gather", "allgather_into_tensor_coalesced": "all-gather",
    "all_gather_into_tensor": "all-gather", "all_gather_into_tensor_coalesced": "all-gather",
    "reduce_scatter": "reduce-scatter", "_reduce_scatter_base": "reduce-scatter",
    "reduce_scatter_tensor": "reduce-scatter", "reduce_scatter_tensor_coalesced": "reduce-scatter",
    "broadcast": "broadcast", "reduce": "reduce", "gather": "gather", "scatter": "scatter",
    "alltoall": "all-to-all", "alltoall_base": "all-to-all", "all_to_all_single": "all-to-all",
    "barrier": "barrier", "monitored_barrier": "barrier", "send": "send", "recv": "receive",
}  # fmt: skip
"""By the op's name without its library and a last underscore."""
LIBRARIES = ("c10d::", "_c10d_functional::")


@dataclass(frozen=True, kw_only=True)
class Collective:
    """One kind of call: same collective, same size, same line."""

    kind: str
    """One of the values of `KINDS`."""
    bytes: int
    """Of one call: of the largest side (what a rank gathers, or scatters)."""
    dtype: str
    calls: float
    """In a step."""
    seconds: float
    """In a step, to start them (and to wait, where the call does)."""
    state: str
    """`backward`: a gradient sync, of DistributedDataParallel or FSDP; `communication`: called from the loop."""
    where: tuple[str, int] | None


def collectives(process: Process, per_step: float) -> tuple[Collective, ...]:
    """Those that the deep windows saw, the largest bytes first. `per_step`: boundaries in a step."""
    windows = [w for w in process.windows if w.kind == "ops" and w.steps]
    steps = sum(w.steps for w in windows) / per_step
    sums: dict[tuple[str, int, str, str, tuple[str, int] | None], list[float]] = {}
    for window in windows:
        for op in window.ops:
            kind = kind_of(op)
            if kind is not None:
                size, dtype = payload(op)
                total = sums.setdefault((kind, size, dtype, op.state, op.where), [0.0, 0.0])
                total[0] += op.count
                total[1] += op.ns / 1e9
    found = [
        Collective(kind=kind, bytes=size, dtype=dtype, calls=calls / steps, seconds=seconds / steps, state=state, where=where)
        for (kind, size, dtype, state, where), (calls, seconds) in sums.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: -each.bytes * each.calls))


def kind_of(op: Op) -> str | None:
    for library in LIBRARIES:
        if op.name.startswith(library):
            return KINDS.get(op.name.removeprefix(library).rstrip("_"))
    return None


def payload(op: Op) -> tuple[int, str]:
    """(bytes, dtype) of the larger of what goes in and what comes out."""
    sides = [_tensors(each) for each in (*op.arguments, op.outputs)]
    side = max(sides, key=lambda tensors: sum(t.bytes for t in tensors), default=[])
    return sum(t.bytes for t in side), side[0].dtype if side else ""


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [tensor for each in value for tensor in _tensors(each)]
    return []
