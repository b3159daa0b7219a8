"""Convolutions: 2 flops for each weight that meets an element, as in `torch.utils.flop_counter`.

A weight is (out, in / groups, *kernel), transposed (in, out / groups, *kernel), so that stride, dilation and groups
need no care of their own. Taps that fall on padding count, biases do not. (torch's counter does not divide the
gradient of a grouped weight by the groups; here it is divided.)
"""

from typing import Any

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, multiply_add, results, tensor, total
from narrows.spool.record import Op, Tensor


def taps(weight: Tensor, side: Tensor) -> float:
    """Flops: each element of `side` meets the weights of its channel. `side` is the output, or for a transposed
    convolution the input."""
    return multiply_add(side.dtype) * side.elements * (weight.elements / weight.shape[0])


@formula("convolution", "_convolution", "convolution_overrideable", kind="convolution")
def _convolution(op: Op) -> Work:
    image, weight = tensor(op, 0, "input"), tensor(op, 1, "weight")
    transposed = argument(op, 6, "transposed", False)
    return Work(flops=taps(weight, image if transposed else results(op)[0]), dtype=image.dtype)


@formula("conv1d", "conv2d", "conv3d", "cudnn_convolution", "cudnn_convolution_relu", "cudnn_convolution_add_relu",
         "miopen_convolution", "miopen_convolution_relu", "miopen_convolution_add_relu",
         "miopen_depthwise_convolution", "mkldnn_convolution", "mkldnn::_convolution_pointwise", "_mps_convolution",
         "_convolution_mode", "_nnpack_spatial_convolution", "thnn_conv2d", "_slow_conv2d_forward", "slow_conv3d",
         "slow_conv3d_forward", "slow_conv_dilated2d", "slow_conv_dilated3d", "_conv_depthwise2d",
         "conv_depthwise3d", kind="convolution")  # fmt: skip
def _forward(op: Op) -> Work:
    image, weight = tensor(op, 0, "input"), tensor(op, 1, "weight")
    return Work(flops=taps(weight, results(op)[0]), dtype=image.dtype)


@formula("conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cudnn_convolution_transpose",
         "miopen_convolution_transpose", "_mps_convolution_transpose", "slow_conv_transpose2d",
         "slow_conv_transpose3d", kind="convolution")  # fmt: skip
def _transposed(op: Op) -> Work:
    image, weight = tensor(op, 0, "input"), tensor(op, 1, "weight")
    return Work(flops=taps(weight, image), dtype=image.dtype)


@formula("conv_tbc", kind="convolution")
def _time_batch_channel(op: Op) -> Work:
    """weight (kernel, in, out)"""
    image, weight = tensor(op, 0, "self"), tensor(op, 1, "weight")
    each = weight.elements / weight.shape[-1]
    return Work(flops=multiply_add(image.dtype) * results(op)[0].elements * each, dtype=image.dtype)


@formula("convolution_backward", "convolution_backward_overrideable", kind="convolution")
def _backward(op: Op) -> Work:
    biases = op.name == "convolution_backward"  # the overrideable one has no bias sizes
    gradient, image, weight = tensor(op, 0, "grad_output"), tensor(op, 1, "input"), tensor(op, 2, "weight")
    transposed = argument(op, 7 if biases else 6, "transposed", False)
    mask = argument(op, 10 if biases else 9, "output_mask", (True, True, True))
    return _gradients(gradient, image, weight, mask, transposed=bool(transposed))


@formula("_convolution_double_backward", kind="convolution")
def _twice(op: Op) -> Work:
    """(gradients of input, weight, bias; output's gradient, weight, input ...): four convolutions at most."""
    gradient, weight, image = tensor(op, 3, "gO"), tensor(op, 4, "weight"), tensor(op, 5, "self")
    one = taps(weight, image if argument(op, 9, "transposed", False) else gradient)
    given = sum(isinstance(argument(op, i, "ggI"), Tensor) for i in range(2))
    return Work(flops=2.0 * given * one, dtype=image.dtype)


@formula("_slow_conv2d_backward", kind="convolution")
def _slow_backward(op: Op) -> Work:
    mask = argument(op, 6, "output_mask", (True, True, True))
    return _gradients(tensor(op, 0, "grad_output"), tensor(op, 1, "self"), tensor(op, 2, "weight"), mask)


@formula("mps_convolution_backward", kind="convolution")
def _mps_backward(op: Op) -> Work:
    mask = argument(op, 7, "output_mask", (True, True, True))
    return _gradients(tensor(op, 1, "grad_output"), tensor(op, 0, "self"), tensor(op, 2, "weight"), mask)


def _gradients(gradient: Tensor, image: Tensor, weight: Tensor, mask: Any, *, transposed: bool = False) -> Work:
    """The gradients of input and weight, as asked for, cost as much as the forward each. The first reads the
    weight, the second the input."""
    one = taps(weight, image if transposed else gradient)
    read = total([gradient, *([weight] if mask[0] else []), *([image] if mask[1] else [])])
    return Work(flops=one * (bool(mask[0]) + bool(mask[1])), read=read, dtype=image.dtype)
