"""Pooling: one comparison or addition for each element of each window."""

from math import prod

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, elements, inputs, results, tensor, total
from narrows.spool.record import Op


def window(op: Op, index: int) -> float:
    """Elements of a window. A kernel given as one number holds for each of the op's dimensions (`pool2d`)."""
    kernel = argument(op, index, "kernel_size")
    dims = int(op.name.split("pool")[1][0])
    sizes = kernel if isinstance(kernel, tuple) else (kernel,)
    return float(prod(sizes) if len(sizes) == dims else sizes[0] ** dims)


@formula("max_pool1d", "max_pool2d", "max_pool3d", "max_pool1d_with_indices", "max_pool2d_with_indices",
         "max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d", "mkldnn_max_pool2d",
         "mkldnn_max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d", "quantized_max_pool1d",
         "quantized_max_pool2d", "quantized_max_pool3d", kind="reduction")  # fmt: skip
def _pool(op: Op) -> Work:
    return Work(flops=results(op)[0].elements * window(op, 1))


@formula("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward", "fractional_max_pool2d_backward",
         "fractional_max_pool3d_backward", "adaptive_max_pool2d_backward", "adaptive_max_pool3d_backward",
         kind="reduction")  # fmt: skip
def _max_backward(op: Op) -> Work:
    """(gradient, input, ..., indices): each gradient goes where its index says; the input is not read."""
    gradient, *_, indices = inputs(op)
    return Work(flops=gradient.elements, read=total([gradient, indices]), dtype=gradient.dtype)


@formula("mkldnn_max_pool2d_backward", "mkldnn_max_pool3d_backward", "max_pool2d_backward", kind="reduction")
def _max_backward_again(op: Op) -> Work:
    """No indices were kept: the windows are searched again."""
    return Work(flops=2.0 * max(t.elements for t in inputs(op)))


@formula("avg_pool2d_backward", "avg_pool3d_backward", kind="reduction")
def _average_backward(op: Op) -> Work:
    """(gradient, input, kernel ...): the input is not read."""
    gradient = tensor(op, 0, "grad_output")
    return Work(flops=gradient.elements * window(op, 2), read=total([gradient]))


@formula("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
         "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
         "mkldnn_adaptive_avg_pool2d", kind="reduction")  # fmt: skip
def _adaptive(op: Op) -> Work:
    """Windows cover the input; they overlap only where the output does not divide it."""
    return Work(flops=max(elements(inputs(op)), elements(results(op)[:1])))


@formula("_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward", "mkldnn_adaptive_avg_pool2d_backward",
         "adaptive_avg_pool3d_backward", kind="reduction")  # fmt: skip
def _adaptive_backward(op: Op) -> Work:
    gradient = tensor(op, 0, "grad_output")
    return Work(flops=max(gradient.elements, tensor(op, 1, "self").elements), read=total([gradient]))


@formula("max_unpool2d", "max_unpool3d", kind="index")
def _unpool(op: Op) -> Work:
    return Work()
