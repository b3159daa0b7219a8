import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

A, B = t(2, 6, 6), t(2, 6, 3)


@pytest.mark.parametrize(
    ("op", "flops"),
    [
        (call("linalg_cholesky_ex", A, out=(A,)), 2 * 216 / 3),
        (call("linalg_inv_ex", A, out=(A,)), 2 * 2 * 216),
        (call("_linalg_solve_ex", A, B, out=(B,)), 2 * 2 / 3 * 216 + 2 * 6 * 36),
        (call("linalg_solve_triangular", A, B, upper=True, out=B), 6 * 36),
        (call("cholesky_solve", B, A, out=B), 2 * 6 * 36),
        (call("linalg_lu_solve", A, t(2, 6, dtype="int32"), B, out=B), 2 * 6 * 36),
        (call("linalg_qr", t(8, 6), out=(t(8, 6), t(6, 6))), 2 * 2 * 36 * (8 - 2)),
        (call("_linalg_eigh", A, out=(t(2, 6), A)), 2 * 9 * 216),
        (call("_linalg_svd", t(8, 6), out=(t(8, 6), t(6), t(6, 6))), 14 * 8 * 36 + 8 * 216),
    ],
)  # fmt: skip
def test_flops(op: object, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert found.flops == pytest.approx(flops)
    assert (found.kind, found.by_shape) == ("other", True)
