import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t


@pytest.mark.parametrize(
    ("name", "flops"),
    [("sum", 20), ("mean", 20), ("argmax", 20), ("any", 20), ("cumsum", 20), ("linalg_vector_norm", 40), ("var", 80)],
)
def test_flops_are_per_element_of_the_input(name: str, flops: float) -> None:
    found = cost(call(name, t(4, 5), (1,), out=t(4)))
    assert (found.flops, found.kind, found.bytes_read, found.bytes_written) == (flops, "reduction", 80, 16)


def test_a_maximum_along_a_dimension_has_indices() -> None:
    assert cost(call("max", t(4, 5), 1, overload="dim", out=(t(4), ids(4)))).bytes_written == 16 + 32


def test_a_maximum_of_two_tensors_is_elementwise() -> None:
    found = cost(call("max", t(4, 5), t(4, 5), overload="other", out=t(4, 5)))
    assert (found.flops, found.kind) == (20, "elementwise")


def test_in_place() -> None:
    assert cost(call("cumsum_", t(20), 0, out=t(20))).flops == 20


def test_one_value_for_python() -> None:
    assert cost(call("_local_scalar_dense", t(), out=(0.5,))).bytes_read == 4
