import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

HALF = t(8, dtype="bfloat16")


@pytest.mark.parametrize(
    ("op", "read", "written"),
    [
        (call("copy_", t(8), HALF, out=t(8)), 16, 32),
        (call("_to_copy", t(8), dtype="bfloat16", out=HALF), 32, 16),
        (call("clone", t(8), out=t(8)), 32, 32),
        (call("cat", (t(2, 3), t(4, 3)), out=t(6, 3)), 72, 72),
        (call("repeat", t(3), (4, 1), out=t(4, 3)), 12, 48),
        (call("constant_pad_nd", t(3), (1, 1), 0.0, out=t(5)), 12, 20),
        (call("slice_backward", t(2, 3), (8, 3), 0, 0, 2, 1, out=t(8, 3)), 24, 96),
        (call("reflection_pad1d_backward", t(1, 5), t(1, 3), (1, 1), out=t(1, 3)), 20, 12),
    ],
)
def test_bytes(op: object, read: float, written: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.bytes_read, found.bytes_written, found.kind, found.by_shape) == (read, written, "copy", True)


@pytest.mark.parametrize(
    ("op", "moves"),
    [
        (call("contiguous", t(2, 3), out=t(2, 3)), False),
        (call("contiguous", t(2, 3, layout="n"), out=t(2, 3)), True),
        (call("contiguous", t(1, 2, 3, 3), out=t(1, 2, 3, 3, layout="l")), True),
        (call("reshape", t(2, 3), (6,), out=t(6)), False),
        (call("reshape", t(2, 3, layout="n"), (6,), out=t(6)), True),
        (call("to", t(8), "float32", overload="dtype", out=t(8)), False),
        (call("to", t(8), "bfloat16", overload="dtype", out=HALF), True),
        (call("to", t(8), "cuda", "float32", overload="device", out=t(8)), True),
    ],
)
def test_some_copy_only_if_they_have_to(op: object, moves: bool) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.bytes_written > 0, found.kind) == (moves, "copy" if moves else "view")


def test_folding_adds() -> None:
    assert cost(call("col2im", t(1, 9, 16), (6, 6), (3, 3), (1, 1), (0, 0), (1, 1), out=t(1, 1, 6, 6))).flops == 144
