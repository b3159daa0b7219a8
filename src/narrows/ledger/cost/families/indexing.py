"""Indexing: a gather reads what it returns, a scatter in place writes what it is given.

A boolean mask does not say how much it selects. Where neither the result nor the given values say so, only the mask
counts.
"""

from math import prod

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, inputs, item_bytes, outputs, results, size, tensor, tensors, total
from narrows.spool.record import Op, Tensor


@formula("index", "_unsafe_index", "gather", "index_select", "take", "take_along_dim", kind="index")
def _gather(op: Op) -> Work:
    """(source, ..., indices): each element of the result is read once."""
    source = tensor(op, 0, "self")
    indices = [t for value in op.arguments[1:] for t in tensors(value)]
    return Work(read=total(outputs(op)) + total(indices), dtype=source.dtype)


@formula("scatter", "scatter_add", "scatter_reduce", "index_copy", "index_fill", "index_add", "index_reduce", "put",
         kind="index")  # fmt: skip
def _scatter(op: Op) -> Work:
    """(target, dim, indices, source): one that adds reads the target where it adds. Not in place, the target is
    copied first."""
    target = tensor(op, 0, "self")
    first = 1 if op.name.rstrip("_") == "put" else 2
    indices, source = tensor(op, first, "index"), argument(op, first + 1, "src")
    if "index_" in op.name:  # whole slices
        dim = int(argument(op, 1, "dim", 0))
        slices = prod(target.shape) / max(1, target.shape[dim]) if target.shape else 1
        touched = indices.elements * slices
    else:
        touched = float(indices.elements)
    values = touched * item_bytes(source.dtype) if isinstance(source, Tensor) and source.shape else 0.0
    adds = "add" in op.name or "reduce" in op.name
    return _into(op, target, touched, read=size(indices) + values, adds=adds)


@formula("index_put", "_index_put_impl", "_unsafe_index_put", kind="index")
def _put(op: Op) -> Work:
    """(target, indices of each dimension, values, accumulate)"""
    target, values = tensor(op, 0, "self"), tensor(op, 2, "values")
    slots = argument(op, 1, "indices")
    touched = float(_selected(target, slots, values))
    read = total(tensors(slots)) + total([values])
    return _into(op, target, touched, read=read, adds=bool(argument(op, 3, "accumulate", False)))


def _selected(target: Tensor, slots: tuple[Tensor | None, ...], values: Tensor) -> int:
    """Elements that indices select: their broadcast shape, and all of the dimensions without an index."""
    given = tensors(slots)
    if any(t.dtype in ("bool", "uint8") for t in given):
        return values.elements if values.elements > 1 else 0
    most = max(len(t.shape) for t in given)
    shape = [max(t.shape[-i] for t in given if len(t.shape) >= i) for i in range(1, most + 1)]
    free = [size for i, size in enumerate(target.shape) if i >= len(slots) or slots[i] is None]
    return prod(shape) * prod(free)


def _into(op: Op, target: Tensor, touched: float, *, read: float, adds: bool) -> Work:
    part = touched * item_bytes(target.dtype)
    flops = touched if adds else 0.0
    if op.name.endswith("_"):
        return Work(flops=flops, read=read + (part if adds else 0.0), written=part, dtype=target.dtype)
    return Work(flops=flops, read=read + size(target), dtype=target.dtype)


@formula("masked_fill", "where", "masked_scatter", "_unsafe_masked_index", "_unsafe_masked_index_put_accumulate",
         kind="index")  # fmt: skip
def _masked(op: Op) -> Work:
    """All operands read, the result written. `where(condition)` alone is `nonzero`."""
    return Work()


@formula("masked_select", kind="index")
def _select(op: Op) -> Work:
    """All of the mask is read, and of the source what is selected."""
    return Work(read=total([tensor(op, 1, "mask")]) + total(results(op)))


@formula("masked_select_backward", "masked_scatter_backward", "index_select_backward", "gather_backward",
         "value_selecting_reduction_backward", kind="index")  # fmt: skip
def _backward(op: Op) -> Work:
    """The gradient, and indices or mask; the input (`gather_backward`) is there for its shape only."""
    found = inputs(op)
    return Work(read=total([found[0], *(t for t in found[1:] if t.dtype in ("bool", "int64", "int32"))]))


@formula("nonzero", "nonzero_static", "argwhere", "one_hot", kind="index")
def _find(op: Op) -> Work:
    return Work(flops=inputs(op)[0].elements)
