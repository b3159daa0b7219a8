import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

SIZE = st.integers(1, 64)


@given(m=SIZE, n=SIZE, k=SIZE, b=SIZE)
def test_a_product_needs_no_flags_of_its_operands(m: int, n: int, k: int, b: int) -> None:
    flops = pytest.approx(2.0 * m * n * k)
    for name in ("MatMul", "_MklMatMul", "_FusedMatMul", "_MklNativeFusedMatMul"):
        assert cost(call(f"tf::{name}", t(m, k), t(k, n), t(n), out=t(m, n))).flops == flops
    assert cost(call("tf::MatMul", t(k, m), t(n, k), out=t(m, n))).flops == flops
    batched = cost(call("tf::BatchMatMulV2", t(b, m, k), t(b, k, n), out=t(b, m, n)))
    assert batched.flops == pytest.approx(2.0 * b * m * n * k)


def test_a_convolution_and_its_gradients_cost_the_same() -> None:
    image, weight, out = t(2, 8, 8, 3), t(3, 3, 3, 16), t(2, 8, 8, 16)
    flops = 2.0 * out.elements * 3 * 3 * 3
    sizes = t(4, dtype="int32")
    assert cost(call("tf::_MklNativeConv2D", image, weight, out=out)).flops == flops
    assert cost(call("tf::Conv2DBackpropInput", sizes, weight, out, out=image)).flops == flops
    assert cost(call("tf::Conv2DBackpropFilter", image, sizes, out, out=weight)).flops == flops


def test_reading_a_variable_moves_nothing_and_changing_one_in_place_does() -> None:
    assert cost(call("tf::ReadVariableOp", None, out=t(64, 64))).kind == "view"
    added = cost(call("tf::AssignAddVariableOp", None, t(64, 64)))
    assert (added.bytes_read, added.bytes_written) == (2 * 4 * 64 * 64, 4 * 64 * 64)


def test_a_lookup_reads_the_rows_that_it_returns() -> None:
    found = cost(call("tf::ResourceGather", None, t(32, dtype="int64"), out=t(32, 16)))
    assert found.bytes_read == found.bytes_written == 4 * 32 * 16


def test_of_an_op_that_is_not_known_the_bytes_are() -> None:
    found = cost(call("tf::NoSuchOp", t(8, 8), out=t(8, 8)))
    assert (found.by_shape, found.bytes_read, found.bytes_written) == (False, 256.0, 256.0)
