"""`_foreach_*`: one op on each tensor of a list, in place or not."""

from narrows.ledger.cost.families.elementwise import weight
from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import elements, multiply_add, results, tensors, total, width
from narrows.spool.record import Op

NAMES = (
    "abs acos add addcdiv addcmul asin atan ceil clamp_max clamp_min cos cosh div erf erfc exp expm1 floor frac lerp"
    " lgamma log log10 log1p log2 maximum minimum mul neg pow reciprocal round rsqrt sigmoid sign sin sinh sqrt sub"
    " tan tanh trunc"
).split()


@formula(*(f"_foreach_{name}" for name in NAMES), kind="elementwise")
def _foreach(op: Op) -> Work:
    """All lists are read once; the results are written, in place the first list."""
    name = op.name.removeprefix("_foreach_").removesuffix("_")
    return Work(flops=weight(name, op) * elements(results(op)))


@formula("_foreach_norm", "_foreach_powsum", "_foreach_max", kind="reduction")
def _reduce(op: Op) -> Work:
    each = 1.0 if op.name == "_foreach_max" else 2.0
    return Work(flops=each * elements(tensors(op.arguments[0])))


@formula("_foreach_copy", "_foreach_clone", kind="copy")
def _copy(op: Op) -> Work:
    """(to, from), or (from,)."""
    return Work(read=total(tensors(op.arguments[-1])) if len(op.arguments) < 3 else total(tensors(op.arguments[1])))


@formula("_foreach_zero", kind="copy")
def _zero(op: Op) -> Work:
    return Work(read=0.0)


@formula("_foreach_mm", kind="matmul")
def _products(op: Op) -> Work:
    left, given = tensors(op.arguments[0]), results(op)
    flops = sum(multiply_add(a.dtype) * c.elements * width(a) for a, c in zip(left, given, strict=True))
    return Work(flops=flops, dtype=left[0].dtype)
