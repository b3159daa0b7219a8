import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


def test_operands_are_read_and_the_result_is_written() -> None:
    found = cost(call("add", t(8, 4), t(4), out=t(8, 4)))
    assert (found.flops, found.bytes_read, found.bytes_written, found.kind) == (32, 4 * 36, 128, "elementwise")


def test_in_place_the_operand_is_read_and_written() -> None:
    found = cost(call("add_", t(8), t(8), out=t(8)))
    assert (found.flops, found.bytes_read, found.bytes_written) == (8, 64, 32)


def test_the_result_of_a_broadcast_decides() -> None:
    assert cost(call("mul", t(8, 1), t(1, 4), out=t(8, 4))).flops == 32


@pytest.mark.parametrize(
    ("name", "flops"),
    [("relu", 10), ("eq", 10), ("div", 40), ("sqrt", 40), ("exp", 80),
     ("sigmoid_", 130), ("gelu", 140), ("__or__", 10)],
)  # fmt: skip
def test_weights(name: str, flops: float) -> None:
    assert cost(call(name, t(10), out=t(10))).flops == flops


@pytest.mark.parametrize(("exponent", "flops"), [(2, 10), (0.5, 40), (2.5, 160), (t(10), 160)])
def test_a_small_power_is_products(exponent: object, flops: float) -> None:
    assert cost(call("pow", t(10), exponent, out=t(10))).flops == flops


def test_a_large_elementwise_op_is_far_from_any_balance() -> None:
    """The convention does not decide what bounds an op: even a GELU's gradient has 2 flops for each byte."""
    found = cost(call("gelu_backward", t(10), t(10), out=t(10)))
    assert found.flops / (found.bytes_read + found.bytes_written) == 2
