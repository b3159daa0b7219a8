"""Sparse tensors: the record does not say how many values they hold, so these have a kind and no formula.

(Any other op on a sparse tensor is treated so, too. What needs only metadata stands in `views.py`, an embedding's
sparse gradient, whose size is known, in `embedding.py`.)
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.spool.record import Op


@formula("_sparse_mm", "_sparse_addmm", "sspaddmm", "smm", "hspmm", "_sparse_sparse_matmul", "sparse_sampled_addmm",
         "_sparse_mm_reduce_impl", "_sparse_mm_reduce_impl_backward", kind="matmul", sparse=True)  # fmt: skip
def _product(op: Op) -> Work | None:
    return None


@formula("_coalesce", "coalesce", "sparse_mask", "_sparse_mask_projection", "to_dense", "_to_dense", "to_sparse",
         "_to_sparse", "to_sparse_csr", "_to_sparse_csr", "copy_sparse_to_sparse", kind="copy",
         sparse=True)  # fmt: skip
def _copy(op: Op) -> Work | None:
    return None


@formula("_sparse_sum", "_sparse_sum_backward", kind="reduction", sparse=True)
def _sum(op: Op) -> Work | None:
    return None


@formula("_sparse_softmax", "_sparse_log_softmax", kind="softmax", sparse=True)
def _softmax(op: Op) -> Work | None:
    return None
