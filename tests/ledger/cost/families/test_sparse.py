import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

SPARSE = t(1000, 1000, layout="s")


@pytest.mark.parametrize(
    ("op", "kind", "written"),
    [
        (call("_sparse_mm", SPARSE, t(1000, 4), out=t(1000, 4)), "matmul", 16_000),
        (call("addmm", t(1000, 4), SPARSE, t(1000, 4), out=t(1000, 4)), "matmul", 16_000),
        (call("mm", SPARSE, t(1000, 4), out=t(1000, 4)), "matmul", 16_000),
        (call("_coalesce", SPARSE, out=SPARSE), "copy", 0),
        (call("add_", t(1000, 1000), SPARSE, out=t(1000, 1000)), "elementwise", 0),
    ],
)
def test_how_many_values_there_are_is_not_known(op: object, kind: str, written: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.kind, found.by_shape) == (kind, False)
    assert (found.flops, found.bytes_read, found.bytes_written) == (0, 0, written)
