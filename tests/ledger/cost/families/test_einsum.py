import pytest

from narrows.ledger.cost import cost
from narrows.ledger.cost.families.einsum import contraction
from tests.ledger.cost.calls import call, t


@pytest.mark.parametrize(
    ("equation", "shapes", "sums", "products"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)], 24, 0),
        ("ij,jk", [(2, 3), (3, 4)], 24, 0),
        ("i,j->ij", [(2,), (3,)], 0, 6),
        ("ij,ij->", [(2, 3), (2, 3)], 6, 0),
        ("...ij,...jk->...ik", [(5, 2, 3), (5, 3, 4)], 120, 0),
        ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)], 720, 0),
        ("ijx,jk->ik", [(2, 3, 9), (3, 4)], 24, 0),  # x is summed away first
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)], 24 + 40, 0),
        ("ii->i", [(3, 3)], 0, 0),
    ],
)
def test_contraction(equation: str, shapes: list[tuple[int, ...]], sums: float, products: float) -> None:
    assert contraction(equation, [t(*shape) for shape in shapes]) == (sums, products)


def test_a_sum_is_two_flops_and_a_product_one() -> None:
    assert cost(call("einsum", "ij,jk->ik", (t(2, 3), t(3, 4)), out=t(2, 4))).flops == 48
    assert cost(call("einsum", "i,j->ij", (t(2), t(3)), out=t(2, 3))).flops == 6


def test_an_equation_that_does_not_fit_has_no_formula() -> None:
    assert not cost(call("einsum", "ij,jk->ik", (t(2, 3),))).by_shape
