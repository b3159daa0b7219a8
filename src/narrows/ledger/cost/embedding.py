"""Embeddings: a lookup reads the rows it needs; a dense gradient writes the whole table."""

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain, total
from narrows.spool.record import Op


@formula("embedding", "_embedding_bag", "_embedding_bag_forward_only", "embedding_bag")
def _lookup(op: Op) -> Cost:
    table, indices = inputs(op)[:2]
    rows = indices.elements * table.bytes / max(1, table.shape[0])
    summed = indices.elements * table.shape[-1] if op.name != "embedding" else 0
    return plain(op, kind="embedding", flops=float(summed), read=rows + indices.bytes, written=outputs(op)[0].bytes,
                 dtype=table.dtype)  # fmt: skip


@formula("embedding_dense_backward", "_embedding_bag_dense_backward", "embedding_backward", "_embedding_bag_backward")
def _dense(op: Op) -> Cost:
    gradient = inputs(op)[0]
    written = total(outputs(op)) + gradient.bytes
    return plain(op, kind="embedding", flops=float(gradient.elements), read=total(inputs(op)[:2]), written=written,
                 dtype=gradient.dtype)  # fmt: skip


@formula("embedding_sparse_backward", "_embedding_bag_sparse_backward", "embedding_renorm_")
def _sparse(op: Op) -> Cost:
    gradient = inputs(op)[0]
    return plain(op, kind="embedding", read=total(inputs(op)[:2]), written=gradient.bytes, dtype=gradient.dtype)
