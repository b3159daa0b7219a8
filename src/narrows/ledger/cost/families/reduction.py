"""Reductions and scans, counted per element of the input."""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import inputs, item_bytes, largest, tensor
from narrows.spool.record import Op

_FLOPS = {
    1.0: "sum mean nansum nanmean amax amin max min aminmax _aminmax argmax argmin any all prod cumsum cumprod cummax"
    " cummin _cummax_helper _cummin_helper count_nonzero trace equal _is_all_true _is_any_true bincount histc isin"
    " nanmedian median mode _sparse_csr_sum segment_reduce _segment_reduce_backward sum_to_size _grad_sum_to_size"
    " cumulative_trapezoid trapz hash_tensor diff",
    2.0: "norm linalg_vector_norm linalg_norm linalg_matrix_norm frobenius_norm native_norm allclose _linalg__powsum"
    " linalg__powsum",
    3.0: "dist _pdist_forward trapezoid cumprod_backward",
    4.0: "var std var_mean std_mean pairwise_distance",
    6.0: "cosine_similarity",
}
_WEIGHTS = {name: flops for flops, text in _FLOPS.items() for name in text.split()}


@formula(*_WEIGHTS, kind="reduction")
def _reduction(op: Op) -> Work:
    """A variance takes two passes (mean; subtract, square, add). `max` of two tensors is elementwise."""
    if op.overload == "other":
        return Work(flops=largest(op), kind="elementwise")
    return Work(flops=_WEIGHTS[op.name.rstrip("_")] * inputs(op)[0].elements)


@formula("_local_scalar_dense", "item", "is_nonzero", kind="copy")
def _scalar(op: Op) -> Work:
    """One value, for Python."""
    return Work(read=float(item_bytes(tensor(op, 0, "self").dtype)), written=0.0)
