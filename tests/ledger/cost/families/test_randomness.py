import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


@pytest.mark.parametrize(
    ("op", "flops", "read", "written"),
    [
        (call("randn", (10,), out=t(10)), 80, 0, 40),
        (call("rand_like", t(10), out=t(10)), 80, 0, 40),
        (call("normal_", t(10), 0.0, 1.0, out=t(10)), 80, 0, 40),
        (call("bernoulli_", t(10), 0.5, out=t(10)), 80, 0, 40),
        (call("bernoulli_", t(10), t(10), out=t(10)), 80, 40, 40),
        (call("bernoulli", t(10), out=t(10)), 80, 40, 40),
        (call("native_dropout", t(10), 0.1, True, out=(t(10), t(10, dtype="bool"))), 100, 40, 50),
        (call("dropout", t(10), 0.1, True, out=t(10)), 100, 40, 40),
    ],
)
def test_draws(op: object, flops: float, read: float, written: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.bytes_read, found.bytes_written, found.kind) == (flops, read, written, "random")


def test_dropout_does_nothing_unless_it_trains() -> None:
    found = cost(call("dropout", t(10), 0.1, False, out=t(10)))
    assert (found.flops, found.bytes_read, found.bytes_written, found.kind) == (0, 0, 0, "view")
