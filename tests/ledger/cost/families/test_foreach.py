import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

LIST = (t(10), t(5, 4))


@pytest.mark.parametrize(
    ("op", "flops", "read", "written"),
    [
        (call("_foreach_add_", LIST, LIST), 30, 240, 120),
        (call("_foreach_mul_", LIST, 0.9), 30, 120, 120),
        (call("_foreach_mul", LIST, t(), out=LIST), 30, 124, 120),
        (call("_foreach_sqrt", LIST, out=LIST), 120, 120, 120),
        (call("_foreach_addcdiv_", LIST, LIST, LIST, (1.0, 2.0)), 180, 360, 120),
        (call("_foreach_lerp_", LIST, LIST, 0.1), 90, 240, 120),
        (call("_foreach_pow", LIST, 2, out=LIST), 30, 120, 120),
        (call("_foreach_norm", LIST, 2, out=(t(), t())), 60, 120, 8),
        (call("_foreach_copy_", LIST, LIST), 0, 120, 120),
        (call("_foreach_zero_", LIST), 0, 0, 120),
        (call("_foreach_mm", (t(2, 3),), (t(3, 4),), out=(t(2, 4),)), 48, 72, 32),
    ],
)
def test_lists(op: object, flops: float, read: float, written: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.bytes_read, found.bytes_written, found.by_shape) == (flops, read, written, True)
