"""Matrix products: 2 m n k operations for (m, k) by (k, n)."""

from math import prod

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain
from narrows.spool.record import Op, Tensor


def product(op: Op, a: Tensor, b: Tensor) -> Cost:
    """Batched (..., m, k) x (..., k, n)."""
    m = a.shape[-2] if len(a.shape) > 1 else 1
    n = b.shape[-1] if len(b.shape) > 1 else 1
    batch = max(prod(a.shape[:-2]), prod(b.shape[:-2]))
    return plain(op, kind="matmul", flops=2.0 * batch * m * n * a.shape[-1], dtype=a.dtype)


@formula("mm", "bmm", "matmul", "_int_mm", "dot", "mv", "vdot", "_sparse_mm")
def _first_two(op: Op) -> Cost | None:
    a, b = inputs(op)[:2]
    return None if "s" in (a.layout, b.layout) else product(op, a, b)


@formula("addmm", "baddbmm", "addbmm", "addmv", "_addmm_activation")
def _after_the_sum(op: Op) -> Cost | None:
    a, b = inputs(op)[1:3]
    return None if "s" in (a.layout, b.layout) else product(op, a, b)


@formula("linear", "mkldnn_linear", "_mkldnn_linear", "linear_pointwise", "mkldnn::_linear_pointwise")
def _linear(op: Op) -> Cost:
    x, weight = inputs(op)[:2]
    return plain(op, kind="matmul", flops=2.0 * x.elements * weight.shape[0], dtype=x.dtype)


@formula("linear_backward", "mkldnn_linear_backward")
def _linear_backward(op: Op) -> Cost:
    x, gradient = inputs(op)[:2]
    return plain(op, kind="matmul", flops=4.0 * x.elements * gradient.shape[-1], dtype=x.dtype)


@formula("einsum")
def _einsum(op: Op) -> Cost | None:
    equation = op.arguments[0]
    if not isinstance(equation, str) or "." in equation:
        return None
    left = equation.replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for letters, tensor in zip(left, inputs(op), strict=True):
        sizes.update(zip(letters, tensor.shape, strict=True))
    return plain(op, kind="matmul", flops=2.0 * prod(sizes.values()))


@formula("outer", "ger")
def _outer(op: Op) -> Cost:
    return plain(op, kind="matmul", flops=float(outputs(op)[0].elements))
