import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.ledger.cost import Cost, cost
from tests.ledger.cost.calls import call, ids, t

SIZE = st.integers(1, 64)


@given(m=SIZE, n=SIZE, k=SIZE)
def test_mm(m: int, n: int, k: int) -> None:
    assert cost(call("mm", t(m, k), t(k, n), out=t(m, n))) == Cost(
        flops=2.0 * m * n * k,
        bytes_read=4.0 * (m * k + k * n),
        bytes_written=4.0 * m * n,
        dtype="float32",
        by_shape=True,
        kind="matmul",
    )


@given(b=SIZE, m=SIZE, n=SIZE, k=SIZE)
def test_batches_and_the_other_ways_to_say_it_cost_the_same(b: int, m: int, n: int, k: int) -> None:
    left, right, out = t(b, m, k), t(b, k, n), t(b, m, n)
    flops = 2.0 * b * m * n * k
    assert cost(call("bmm", left, right, out=out)).flops == flops
    assert cost(call("baddbmm", out, left, right, out=out)).flops == flops
    assert cost(call("matmul", left, right, out=out)).flops == flops
    assert cost(call("linear", left, t(n, k), out=out)).flops == flops
    assert cost(call("einsum", "bij,bjk->bik", (left, right), out=out)).flops == flops
    assert cost(call("addbmm", t(m, n), left, right, out=t(m, n))).flops == flops


@pytest.mark.parametrize(
    ("a", "b", "out", "flops"),
    [
        (t(7), t(7), t(), 14),
        (t(3, 7), t(7), t(3), 42),
        (t(7), t(7, 2), t(2), 28),
        (t(5, 1, 3, 7), t(4, 7, 2), t(5, 4, 3, 2), 2 * 20 * 3 * 7 * 2),
        (t(0, 3, 7), t(7, 2), t(0, 3, 2), 0),
    ],
)  # fmt: skip
def test_matmul_broadcasts(a: object, b: object, out: object, flops: float) -> None:
    assert cost(call("matmul", a, b, out=out)).flops == flops


def test_addmm_reads_the_bias_unless_it_is_multiplied_by_zero() -> None:
    arguments = (t(8), t(4, 16), t(16, 8))
    assert cost(call("addmm", *arguments, out=t(4, 8))).bytes_read == 4 * (8 + 64 + 128)
    assert cost(call("addmm", *arguments, out=t(4, 8), beta=0)).bytes_read == 4 * (64 + 128)


def test_the_dtype_is_that_of_the_factors() -> None:
    assert cost(call("addmm", t(8), t(4, 2, dtype="bfloat16"), t(2, 8, dtype="bfloat16"))).dtype == "bfloat16"
    eight = cost(call("_int_mm", t(4, 2, dtype="int8"), t(2, 8, dtype="int8"), out=t(4, 8, dtype="int32")))
    assert (eight.dtype, eight.flops, eight.bytes_read, eight.bytes_written) == ("int8", 128, 24, 128)


def test_a_complex_multiply_add_is_8_real_flops() -> None:
    found = cost(call("mm", t(2, 3, dtype="complex64"), t(3, 4, dtype="complex64")))
    assert (found.flops, found.dtype) == (8 * 24, "float32")


@pytest.mark.parametrize(
    ("mask", "flops", "read"),
    [
        ((True, True, True), 4 * 5 * 6 * 7, 4 * (35 + 42 + 30)),
        ((False, True, False), 2 * 5 * 6 * 7, 4 * (35 + 30)),
        ((True, False, False), 2 * 5 * 6 * 7, 4 * (35 + 42)),
        ((False, False, True), 0, 4 * 35),
    ],
)
def test_linear_backward_does_what_is_asked(mask: tuple[bool, ...], flops: float, read: float) -> None:
    found = cost(call("linear_backward", t(5, 6), t(5, 7), t(7, 6), mask))
    assert (found.flops, found.bytes_read) == (flops, read)


def test_grouped() -> None:
    """4 experts; tokens are sliced forward, the summed dimension is for a weight's gradient."""
    assert cost(call("_grouped_mm", t(10, 6), t(4, 6, 5), ids(4), out=t(10, 5))).flops == 2 * 10 * 6 * 5
    assert cost(call("_grouped_mm", t(6, 10), t(10, 5), ids(4), out=t(4, 6, 5))).flops == 2 * 10 * 6 * 5


@pytest.mark.parametrize(
    ("op", "flops"),
    [
        (call("mkldnn_linear_backward_input", (5, 6), t(5, 7), t(7, 6)), 420),
        (call("mkldnn_linear_backward_weights", t(5, 7), t(5, 6), t(7, 6), True), 420),
        (call("matmul_backward", t(5, 7), t(5, 6), t(6, 7), (True, True)), 840),
        (call("inner", t(3, 5), t(4, 5), out=t(3, 4)), 120),
        (call("tensordot", t(2, 3, 4), t(3, 4, 5), (1, 2), (0, 1), out=t(2, 5)), 2 * 10 * 12),
        (call("outer", t(3), t(4), out=t(3, 4)), 12),
        (call("bilinear", t(2, 3), t(2, 4), t(5, 3, 4)), 2 * 2 * (60 + 15)),
        (call("_cdist_forward", t(6, 3), t(5, 3), 2.0, None, out=t(6, 5)), 270),
        (call("_cdist_backward", t(6, 5), t(6, 3), t(5, 3), 2.0, t(6, 5), out=t(6, 3)), 360),
        (call("_weight_int4pack_mm", t(2, 32), t(8, 1, 32, 4), 32, t(1, 64, 2), out=t(2, 64)), 2 * 2 * 32 * 64),
        (call("_weight_int8pack_mm", t(2, 32), t(64, 32, dtype="int8"), t(64), out=t(2, 64)), 2 * 2 * 32 * 64),
        (call("linalg_vecdot", t(5, 4), t(5, 4), out=t(5)), 40),
    ],
)  # fmt: skip
def test_the_others(op: object, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.by_shape) == (flops, True)
