"""Convolutions: two operations for each output element and each weight that feeds it."""

from math import prod

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain
from narrows.spool.record import Op, Tensor


def _work(image: Tensor, weight: Tensor, result: Tensor, *, transposed: bool) -> float:
    """2 x (elements on the side that is computed from) x (weights for each): the weight's shape is
    (out, in / groups, *kernel), or (in, out / groups, *kernel) when transposed."""
    each = prod(weight.shape[1:])
    side = image.elements if transposed else result.elements
    return 2.0 * side * each


@formula("convolution", "_convolution", "convolution_overrideable", "cudnn_convolution", "mkldnn_convolution",
         "thnn_conv2d", "_slow_conv2d_forward", "_conv_depthwise2d", "slow_conv3d_forward")  # fmt: skip
def _convolution(op: Op) -> Cost:
    image, weight = inputs(op)[:2]
    transposed = len(op.arguments) > 6 and op.arguments[6] is True
    flops = _work(image, weight, outputs(op)[0], transposed=transposed)
    return plain(op, kind="convolution", flops=flops, dtype=image.dtype)


@formula("conv1d", "conv2d", "conv3d")
def _composite(op: Op) -> Cost:
    image, weight = inputs(op)[:2]
    return plain(op, kind="convolution", flops=_work(image, weight, outputs(op)[0], transposed=False))


@formula("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _transposed(op: Op) -> Cost:
    image, weight = inputs(op)[:2]
    return plain(op, kind="convolution", flops=_work(image, weight, outputs(op)[0], transposed=True))


@formula("convolution_backward", "convolution_backward_overrideable", "mkldnn_convolution_backward")
def _backward(op: Op) -> Cost:
    gradient, image, weight = inputs(op)[:3]
    transposed = len(op.arguments) > 7 and op.arguments[7] is True
    mask = op.arguments[-1] if isinstance(op.arguments[-1], tuple) else (True, True, True)
    passes = int(bool(mask[0])) + int(bool(mask[1]))
    flops = passes * _work(image, weight, gradient, transposed=transposed)
    return plain(op, kind="convolution", flops=flops, dtype=image.dtype)
