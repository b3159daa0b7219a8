"""Embeddings: a lookup reads the rows it returns; a dense gradient writes the whole table."""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, elements, inputs, item_bytes, size, tensor, total, width
from narrows.spool.record import Op, Tensor


def touched(table: Tensor, indices: Tensor) -> float:
    """Bytes of the rows that the indices name. Each row once if they name more than the table has: the rest must
    be repeats."""
    return min(size(table), float(indices.elements * width(table) * item_bytes(table.dtype)))


@formula("embedding", kind="embedding")
def _lookup(op: Op) -> Work:
    table, indices = tensor(op, 0, "weight"), tensor(op, 1, "indices")
    return Work(read=touched(table, indices) + size(indices), dtype=table.dtype)


@formula("_embedding_bag", "_embedding_bag_forward_only", "embedding_bag", kind="embedding")
def _bag(op: Op) -> Work:
    """One addition (and a multiplication, if samples are weighted) for each element that is looked up."""
    table, indices, offsets = (tensor(op, i, name) for i, name in enumerate(("weight", "indices", "offsets")))
    weights = argument(op, 6, "per_sample_weights")
    per_element = 2.0 if isinstance(weights, Tensor) else 1.0
    return Work(
        flops=per_element * indices.elements * width(table),
        read=touched(table, indices) + total([indices, offsets]) + (total([weights]) if per_element > 1 else 0.0),
        dtype=table.dtype,
    )


@formula("embedding_dense_backward", "embedding_backward", kind="embedding", sparse=True)
def _dense(op: Op) -> Work:
    """(gradient, indices, rows of the table ...): one addition for each element, into a table of zeros, so the whole
    table is written and then what was touched."""
    gradient, indices = tensor(op, 0, "grad_output"), tensor(op, 1, "indices")
    if op.name == "embedding_backward" and argument(op, 5, "sparse", False):
        return _kept(gradient, indices)
    rows = float(argument(op, 2, "num_weights"))
    return Work(
        flops=gradient.elements,
        read=total([gradient, indices]),
        written=rows * width(gradient) * item_bytes(gradient.dtype) + size(gradient),
        dtype=gradient.dtype,
    )


@formula("embedding_sparse_backward", kind="embedding", sparse=True)
def _sparse(op: Op) -> Work:
    return _kept(tensor(op, 0, "grad"), tensor(op, 1, "indices"))


def _kept(gradient: Tensor, indices: Tensor) -> Work:
    """Indices and rows as they came: a sparse tensor."""
    held = total([gradient, indices])
    return Work(read=held, written=held, dtype=gradient.dtype)


_TABLE = {"_embedding_bag_dense_backward": 5, "_embedding_bag_sparse_backward": 5, "_embedding_bag_backward": 6}
"""Where the number of the table's rows stands."""


@formula(*_TABLE, kind="embedding", sparse=True)
def _bag_backward(op: Op) -> Work:
    """Each index gets its bag's row of the gradient: added into a table of zeros, or kept beside the index."""
    gradient, indices = tensor(op, 0, "grad"), tensor(op, 1, "indices")
    each = float(indices.elements * width(gradient))
    sparse = op.name == "_embedding_bag_sparse_backward"
    if op.name == "_embedding_bag_backward":
        sparse = bool(argument(op, 9, "sparse", False))
    item = item_bytes(gradient.dtype)
    if sparse:
        return Work(written=each * item + size(indices), dtype=gradient.dtype)
    table = float(argument(op, _TABLE[op.name], "num_weights"))
    return Work(flops=each, written=(table * width(gradient) + each) * item, dtype=gradient.dtype)


@formula("_embedding_bag_per_sample_weights_backward", kind="embedding")
def _sample_weights(op: Op) -> Work:
    """A dot product for each index."""
    gradient, table, indices = tensor(op, 0, "grad"), tensor(op, 1, "weight"), tensor(op, 2, "indices")
    rest = total([t for t in inputs(op) if t is not table])
    return Work(flops=2.0 * indices.elements * width(table), read=rest + touched(table, indices), dtype=gradient.dtype)


@formula("embedding_renorm", kind="embedding")
def _renorm(op: Op) -> Work:
    """A norm for each row that is looked up, and a scaling of those that are too long (taken to be none)."""
    table, indices = tensor(op, 0, "self"), tensor(op, 1, "indices")
    read = elements([indices]) * item_bytes(indices.dtype) + touched(table, indices)
    return Work(flops=2.0 * indices.elements * width(table), read=read, written=0.0, dtype=table.dtype)
