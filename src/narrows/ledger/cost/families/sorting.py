"""Sorting and searching: n log2 n comparisons (Knuth, The Art of Computer Programming, vol. 3, section 5.3.1)."""

from math import log2

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, inputs, tensor
from narrows.spool.record import Op


@formula("sort", "argsort", "msort", kind="reduction")
def _sort(op: Op) -> Work:
    """Along one dimension (`sort.stable` has its flag first, as a keyword)."""
    values = tensor(op, 0, "self")
    dim = next((a for a in op.arguments[1:] if isinstance(a, int) and not isinstance(a, bool)), -1)
    n = values.shape[0 if op.name == "msort" else dim] if values.shape else 1
    return Work(flops=values.elements * log2(max(2, n)))


@formula("topk", "kthvalue", kind="reduction")
def _select(op: Op) -> Work:
    """A comparison for each element, and one more for each level of a heap of k."""
    k = int(argument(op, 1, "k")) if op.name == "topk" else 1
    return Work(flops=tensor(op, 0, "self").elements * (1.0 + log2(max(1, k))))


@formula("_unique", "_unique2", "unique_dim", "unique_consecutive", "unique_dim_consecutive", kind="reduction")
def _unique(op: Op) -> Work:
    n = tensor(op, 0, "self").elements
    return Work(flops=float(n) if "consecutive" in op.name else n * log2(max(2, n)))


@formula("searchsorted", "bucketize", kind="reduction")
def _search(op: Op) -> Work:
    """A binary search for each value, in rows of sorted values: no more of them is read than all."""
    first, second = inputs(op)[0], argument(op, 1, "self")
    table, values = (first, second) if op.name == "searchsorted" else (tensor(op, 1, "boundaries"), first)
    return Work(flops=getattr(values, "elements", 1) * log2(max(2, table.shape[-1])))
