"""Quantized basics. A packed weight is an object, not a tensor, so its shape is not in the record."""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import inputs, largest, outputs, size, tensor, width
from narrows.spool.record import Op


@formula("quantized::linear", "quantized::linear_relu", "quantized::linear_dynamic",
         "quantized::linear_relu_dynamic", kind="matmul")  # fmt: skip
def _linear(op: Op) -> Work:
    """The weight is (width of the result, width of the input), a byte each."""
    x, result = tensor(op, 0, "X"), outputs(op)[0]
    weight = float(width(x) * width(result))
    return Work(flops=2.0 * result.elements * width(x), read=size(x) + weight, dtype="int8")


@formula("quantized::conv1d", "quantized::conv2d", "quantized::conv3d", "quantized::conv1d_relu",
         "quantized::conv2d_relu", "quantized::conv3d_relu", kind="convolution")  # fmt: skip
def _convolution(op: Op) -> Work | None:
    """The kernel's size is in the packed weight."""
    return None


@formula("quantize_per_tensor", "quantize_per_tensor_dynamic", "quantize_per_channel",
         "fake_quantize_per_tensor_affine",
         "fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine_cachemask",
         "fake_quantize_per_channel_affine_cachemask", "_fake_quantize_per_tensor_affine_cachemask_tensor_qparams",
         "_fused_moving_avg_obs_fq_helper", "fused_moving_avg_obs_fake_quant", kind="elementwise")  # fmt: skip
def _quantize(op: Op) -> Work:
    """Divide, round, shift, clamp twice."""
    return Work(flops=8.0 * largest(op))


@formula("dequantize", kind="elementwise")
def _dequantize(op: Op) -> Work:
    return Work(flops=2.0 * largest(op))


@formula("fake_quantize_per_tensor_affine_cachemask_backward", "fake_quantize_per_channel_affine_cachemask_backward",
         kind="elementwise")  # fmt: skip
def _fake_backward(op: Op) -> Work:
    return Work(flops=inputs(op)[0].elements)


@formula("_choose_qparams_per_tensor", kind="reduction")
def _range(op: Op) -> Work:
    """Minimum and maximum."""
    return Work(flops=2.0 * tensor(op, 0, "self").elements)
