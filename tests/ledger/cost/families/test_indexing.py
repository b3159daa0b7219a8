import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t

TABLE = t(1000, 8)


@pytest.mark.parametrize(
    "op",
    [
        call("index", TABLE, (ids(5),), out=t(5, 8)),
        call("index_select", TABLE, 0, ids(5), out=t(5, 8)),
    ],
)
def test_a_gather_reads_what_it_returns(op: object) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.bytes_read, found.bytes_written, found.kind) == (160 + 40, 160, "index")


def test_gather() -> None:
    assert cost(call("gather", TABLE, 1, ids(1000, 1), out=t(1000, 1))).bytes_read == 4000 + 8000


@pytest.mark.parametrize(
    ("op", "read", "written", "flops"),
    [
        (call("index_put_", TABLE, (ids(5),), t(5, 8), out=TABLE), 40 + 160, 160, 0),
        (call("index_put_", TABLE, (ids(5),), t(5, 8), True, out=TABLE), 40 + 160 + 160, 160, 40),
        (call("index_put_", TABLE, (None, ids(2)), t(), out=TABLE), 16 + 4, 8000, 0),
        (call("index_put_", TABLE, (ids(5, 1), ids(2)), t(), out=TABLE), 56 + 4, 40, 0),
        (call("index_put_", TABLE, (t(1000, 8, dtype="bool"),), t(), out=TABLE), 8000 + 4, 0, 0),
        (call("index_put", TABLE, (ids(5),), t(5, 8), out=TABLE), 40 + 160 + 32_000, 32_000, 0),
        (call("index_add_", TABLE, 0, ids(5), t(5, 8), out=TABLE), 40 + 160 + 160, 160, 40),
        (call("index_fill_", TABLE, 0, ids(5), 1.0, out=TABLE), 40, 160, 0),
        (call("scatter_", TABLE, 1, ids(1000, 1), 1.0, out=TABLE), 8000, 4000, 0),
        (call("scatter_add_", t(10), 0, ids(4), t(4), out=t(10)), 32 + 16 + 16, 16, 4),
        (call("scatter", t(10), 0, ids(4), t(4), out=t(10)), 32 + 16 + 40, 40, 0),
        (call("masked_fill", t(10), t(10, dtype="bool"), 0.0, out=t(10)), 50, 40, 0),
        (call("where", t(10, dtype="bool"), t(10), t(10), out=t(10)), 90, 40, 0),
        (call("masked_select", t(10), t(10, dtype="bool"), out=t(3)), 22, 12, 0),
        (call("nonzero", t(10), out=ids(3, 1)), 40, 24, 10),
        (call("gather_backward", t(4), t(10), 0, ids(4), False, out=t(10)), 16 + 32, 40, 0),
    ],
)
def test_a_scatter_in_place_writes_what_it_is_given(op: object, read: float, written: float, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.bytes_read, found.bytes_written, found.flops, found.by_shape) == (read, written, flops, True)
