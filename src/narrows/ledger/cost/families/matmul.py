"""Matrix products: 2 m n k flops for (m, k) by (k, n), as in `torch.utils.flop_counter`."""

from math import prod

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import (
    argument,
    inputs,
    multiply_add,
    outputs,
    results,
    rows,
    tensor,
    total,
    width,
)
from narrows.spool.record import Op, Tensor


def product(a: Tensor, b: Tensor) -> float:
    """Flops of (..., m, k) by (..., k, n), by matrix-vector and by dot product alike, batches broadcast."""
    if not a.shape or not b.shape or a.shape[-1] != b.shape[-2 if len(b.shape) > 1 else -1]:
        raise ValueError(f"no product of {a.shape} and {b.shape}")
    batch: list[int] = []
    left, right = a.shape[:-2][::-1], b.shape[:-2][::-1]
    for i in range(max(len(left), len(right))):
        sizes = {s[i] for s in (left, right) if i < len(s)}
        batch.append(max(sizes) if 0 not in sizes else 0)
    m = a.shape[-2] if len(a.shape) > 1 else 1
    n = b.shape[-1] if len(b.shape) > 1 else 1
    return multiply_add(a.dtype) * prod(batch) * m * n * a.shape[-1]


@formula("mm", "bmm", "mv", "dot", "vdot", "matmul", "_int_mm", "_scaled_mm", "_scaled_mm_v2", "linalg_matmul",
         "linalg_vecdot", kind="matmul")  # fmt: skip
def _first_two(op: Op) -> Work:
    a, b = tensor(op, 0, "self"), tensor(op, 1, "mat2")
    if op.name == "linalg_vecdot":
        return Work(flops=multiply_add(a.dtype) * max(a.elements, b.elements), dtype=a.dtype)
    return Work(flops=product(a, b), dtype=a.dtype)


@formula("addmm", "baddbmm", "addmv", "addbmm", "_addmm_activation", kind="matmul")
def _sum_and_product(op: Op) -> Work:
    """beta x self + a @ b. `addbmm` sums over the batch. With beta 0, self is not read."""
    added, a, b = tensor(op, 0, "self"), tensor(op, 1, "mat1"), tensor(op, 2, "mat2")
    idle = argument(op, 3, "beta", 1) == 0
    read = total([a, b] if idle else [added, a, b])
    return Work(flops=product(a, b), read=read, dtype=a.dtype)


@formula("linear", "mkldnn_linear", "_mixed_dtypes_linear", "mkldnn::_linear_pointwise", "_weight_int8pack_mm",
         kind="matmul")  # fmt: skip
def _linear(op: Op) -> Work:
    """x @ weight.T, weight (out, in) or (in,)."""
    x, weight = tensor(op, 0, "input"), tensor(op, 1, "weight")
    return Work(flops=multiply_add(x.dtype) * rows(x) * weight.elements, dtype=x.dtype)


@formula("_weight_int4pack_mm", "_weight_int4pack_mm_for_cpu", "_weight_int4pack_mm_with_scales_and_zeros",
         "_dyn_quant_matmul_4bit", kind="matmul")  # fmt: skip
def _packed(op: Op) -> Work:
    """The packed weight's shape is the packing's: each output element is a sum over the input's last dimension."""
    x = tensor(op, 0, "self")
    return Work(flops=2.0 * results(op)[0].elements * width(x), dtype=x.dtype)


@formula("_grouped_mm", "_scaled_grouped_mm", "_scaled_grouped_mm_v2", kind="matmul")
def _grouped(op: Op) -> Work:
    """Groups are slices of one dimension. Two matrices: the slices are of the inner dimension, so all groups
    together sum over it once; else each output element is a sum over it."""
    a, b, result = tensor(op, 0, "self"), tensor(op, 1, "mat2"), results(op)[0]
    groups = result.shape[0] if len(a.shape) == len(b.shape) == 2 else 1
    return Work(flops=2.0 * result.elements / groups * width(a), dtype=a.dtype)


@formula("linear_backward", "mkldnn_linear_backward", kind="matmul")
def _linear_backward(op: Op) -> Work:
    """The gradients of input and weight, as asked for, cost as much as the forward each."""
    x, gradient, weight = tensor(op, 0, "self"), tensor(op, 1, "grad_output"), tensor(op, 2, "weight")
    mask = argument(op, 3, "output_mask", (True, True, True))
    read = total([gradient, *([weight] if mask[0] else []), *([x] if mask[1] else [])])
    one = multiply_add(x.dtype) * rows(gradient) * weight.elements
    return Work(flops=one * (bool(mask[0]) + bool(mask[1])), read=read, dtype=x.dtype)


@formula("mkldnn_linear_backward_input", "mkldnn_linear_backward_weights", kind="matmul")
def _half_of_linear_backward(op: Op) -> Work:
    gradient, weight = inputs(op)[0], inputs(op)[-1]
    return Work(flops=2.0 * rows(gradient) * weight.elements, dtype=gradient.dtype)


@formula("matmul_backward", kind="matmul")
def _matmul_backward(op: Op) -> Work:
    gradient, a, b = tensor(op, 0, "grad"), tensor(op, 1, "self"), tensor(op, 2, "other")
    mask = argument(op, 3, "mask", (True, True))
    return Work(flops=product(a, b) * (bool(mask[0]) + bool(mask[1])), dtype=gradient.dtype)


@formula("inner", kind="matmul")
def _inner(op: Op) -> Work:
    a = tensor(op, 0, "self")
    return Work(flops=multiply_add(a.dtype) * results(op)[0].elements * width(a), dtype=a.dtype)


@formula("tensordot", kind="matmul")
def _tensordot(op: Op) -> Work:
    a = tensor(op, 0, "self")
    summed = prod(a.shape[d] for d in argument(op, 2, "dims_self"))
    return Work(flops=multiply_add(a.dtype) * outputs(op)[0].elements * summed, dtype=a.dtype)


@formula("outer", "ger", "kron", kind="elementwise")
def _outer(op: Op) -> Work:
    return Work(flops=results(op)[0].elements)


@formula("bilinear", kind="matmul")
def _bilinear(op: Op) -> Work:
    """x1 (n, i), weight (o, i, j), x2 (n, j): a product for each output and row, then a dot product."""
    first, weight = tensor(op, 0, "input1"), tensor(op, 2, "weight")
    out = weight.shape[0] * weight.shape[1]
    return Work(flops=2.0 * rows(first) * (weight.elements + out), dtype=first.dtype)


@formula("_cdist_forward", "cdist", kind="matmul")
def _distances(op: Op) -> Work:
    """|a - b| for each pair of rows: subtract, power, add for each element."""
    return Work(flops=3.0 * results(op)[0].elements * width(tensor(op, 0, "x1")))


@formula("_cdist_backward", kind="matmul")
def _distances_backward(op: Op) -> Work:
    gradient, x = tensor(op, 0, "grad"), tensor(op, 1, "x1")
    return Work(flops=4.0 * gradient.elements * width(x), dtype=x.dtype)
