import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t


@pytest.mark.parametrize(
    ("op", "flops"),
    [
        (call("sort", t(3, 8), out=(t(3, 8), ids(3, 8))), 24 * 3),
        (call("sort", t(8, 3), 0, True, out=(t(8, 3), ids(8, 3))), 24 * 3),
        (call("argsort", t(3, 8), out=ids(3, 8)), 24 * 3),
        (call("topk", t(3, 100), 4, out=(t(3, 4), ids(3, 4))), 300 * 3),
        (call("kthvalue", t(3, 100), 4, out=(t(3), ids(3))), 300),
        (call("_unique2", t(16), out=(t(5), ids(0), ids(0))), 64),
        (call("unique_consecutive", t(16), out=(t(5), ids(0), ids(0))), 16),
        (call("searchsorted", t(32), t(10), out=ids(10)), 50),
        (call("bucketize", t(10), t(32), out=ids(10)), 50),
    ],
)
def test_comparisons(op: object, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.kind, found.by_shape) == (flops, "reduction", True)
