import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


@pytest.mark.parametrize(
    "op",
    [
        call("zeros_like", t(8), out=t(8)),
        call("zero_", t(8), out=t(8)),
        call("fill_", t(8), 1.0, out=t(8)),
        call("arange", 8, dtype="float32", out=t(8)),
        call("new_zeros", t(100), (8,), out=t(8)),
    ],
)
def test_written_and_not_read(op: object) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.bytes_read, found.bytes_written, found.kind) == (0, 0, 32, "copy")
