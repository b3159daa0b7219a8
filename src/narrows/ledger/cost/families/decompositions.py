"""Dense linear algebra, counted as in LAPACK Working Note 41 (the installation guide, operation counts).

Iterative ones (eigenvalues, singular values) are counted as in G. Golub and C. Van Loan, Matrix Computations:
estimates, for their number of iterations depends on the values.
"""

from math import prod

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import inputs, tensor
from narrows.spool.record import Op, Tensor

_CUBES = {
    "cholesky": 1 / 3, "linalg_cholesky": 1 / 3, "linalg_cholesky_ex": 1 / 3, "linalg_lu_factor": 2 / 3,
    "linalg_lu_factor_ex": 2 / 3, "linalg_lu": 2 / 3, "_linalg_det": 2 / 3, "linalg_det": 2 / 3,
    "_linalg_slogdet": 2 / 3, "linalg_slogdet": 2 / 3, "linalg_inv": 2.0, "linalg_inv_ex": 2.0, "inverse": 2.0,
    "cholesky_inverse": 2 / 3, "_linalg_eigh": 9.0, "linalg_eigh": 9.0, "linalg_eigvalsh": 4 / 3,
    "linalg_eig": 25.0, "linalg_eigvals": 10.0, "_linalg_eigvals": 10.0,
}  # fmt: skip


def _batch(matrix: Tensor) -> int:
    return prod(matrix.shape[:-2])


@formula(*_CUBES, kind="other")
def _square(op: Op) -> Work:
    matrix = tensor(op, 0, "self")
    return Work(flops=_CUBES[op.name] * _batch(matrix) * float(matrix.shape[-1]) ** 3)


@formula("_linalg_solve_ex", "linalg_solve", "linalg_solve_ex", kind="other")
def _solve(op: Op) -> Work:
    matrix, right = tensor(op, 0, "A"), tensor(op, 1, "B")
    n = float(matrix.shape[-1])
    return Work(flops=2 / 3 * _batch(matrix) * n**3 + 2.0 * n * right.elements)


@formula("linalg_solve_triangular", "triangular_solve", "cholesky_solve", "_cholesky_solve_helper", "linalg_lu_solve",
         "lu_solve", kind="other")  # fmt: skip
def _solve_factored(op: Op) -> Work:
    """n flops for each right-hand value and triangular factor."""
    right = tensor(op, 1 if op.name == "linalg_solve_triangular" else 0, "b")
    matrix = inputs(op)[0 if op.name.startswith("linalg") else 1]
    if op.name == "linalg_lu_solve":
        right = inputs(op)[-1]
    factors = 1.0 if "triangular" in op.name else 2.0
    return Work(flops=factors * matrix.shape[-1] * right.elements)


@formula("linalg_qr", "qr", "geqrf", "linalg_householder_product", "orgqr", kind="other")
def _orthogonal(op: Op) -> Work:
    """2 n^2 (m - n / 3) for the factors, as much again for Q as a matrix."""
    matrix = tensor(op, 0, "A")
    n, m = sorted(matrix.shape[-2:])
    both = 2.0 if op.name in ("linalg_qr", "qr") else 1.0
    return Work(flops=both * _batch(matrix) * 2.0 * n * n * (m - n / 3))


@formula("_linalg_svd", "linalg_svd", "svd", kind="other")
def _singular(op: Op) -> Work:
    """14 m n^2 + 8 n^3 for the thin form."""
    matrix = tensor(op, 0, "A")
    n, m = sorted(matrix.shape[-2:])
    return Work(flops=_batch(matrix) * (14.0 * m * n * n + 8.0 * n**3))


@formula("linalg_svdvals", kind="other")
def _singular_values(op: Op) -> Work:
    matrix = tensor(op, 0, "A")
    n, m = sorted(matrix.shape[-2:])
    return Work(flops=_batch(matrix) * (4.0 * m * n * n - 4 / 3 * n**3))
