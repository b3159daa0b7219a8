from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


def test_a_packed_weight_has_a_byte_for_each_value() -> None:
    found = cost(call("quantized::linear_dynamic", t(5, 16), None, True, out=t(5, 8)))
    assert (found.flops, found.kind, found.dtype) == (2 * 5 * 16 * 8, "matmul", "int8")
    assert (found.bytes_read, found.bytes_written) == (320 + 128, 160)


def test_a_packed_kernel_hides_its_size() -> None:
    image = t(1, 3, 8, 8, dtype="quint8")
    found = cost(call("quantized::conv2d", image, None, 0.1, 0, out=image))
    assert (found.kind, found.by_shape, found.bytes_read) == ("convolution", False, 192)


def test_quantize_and_back() -> None:
    eight = t(10, dtype="quint8")
    there = cost(call("quantize_per_tensor", t(10), 0.1, 0, "quint8", out=eight))
    assert (there.flops, there.bytes_read, there.bytes_written) == (80, 40, 10)
    back = cost(call("dequantize", eight, out=t(10)))
    assert (back.flops, back.bytes_read, back.bytes_written) == (20, 10, 40)
