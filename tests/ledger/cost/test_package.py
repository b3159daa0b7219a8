import dataclasses
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.ledger.cost import Cost, cost, formula, names
from narrows.spool.record import Tensor
from tests.ledger.cost.calls import call, ids, t

KINDS = {
    "matmul", "convolution", "attention", "rnn", "embedding", "normalisation", "softmax", "reduction", "elementwise",
    "copy", "index", "optimizer", "view", "random", "other",
}  # fmt: skip


def test_what_has_no_formula_is_classed_by_its_bytes() -> None:
    assert cost(call("library::mystery", t(10), None, (t(5), 3), out=t(2))) == Cost(
        flops=0.0, bytes_read=60.0, bytes_written=8.0, dtype="float32", by_shape=False, kind="other"
    )


def test_what_has_no_tensor_costs_nothing() -> None:
    found = cost(call("library::mystery", 1, "two"))
    assert (found.flops, found.bytes_read, found.bytes_written, found.by_shape) == (0, 0, 0, True)


def test_an_op_keeps_its_kind_when_its_arguments_make_no_sense() -> None:
    found = cost(call("mm", t(2, 3), t(4, 5), out=t(2, 5)))
    assert (found.kind, found.by_shape, found.flops, found.bytes_read) == ("matmul", False, 0, 4 * 26)


@pytest.mark.parametrize(
    "odd",
    [
        Tensor(shape=None, dtype="float32", layout="c"),  # type: ignore[arg-type]
        Tensor(shape=(-3, 4), dtype="float32", layout="c"),
        Tensor(shape=("a",), dtype="float32", layout="c"),  # type: ignore[arg-type]
        Tensor(shape=(10**200, 10**200), dtype="float32", layout="c"),
        Tensor(shape=(2, 2), dtype=None, layout="c"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["mm", "add", "mystery", "embedding", "_foreach_add_", "_softmax"])
def test_a_record_that_makes_no_sense_costs_something_finite(name: str, odd: Tensor) -> None:
    _sound(cost(call(name, odd, odd, out=odd)))


def test_a_name_that_is_none_does_not_raise() -> None:
    _sound(cost(dataclasses.replace(call("x", t(2)), name=None)))  # type: ignore[arg-type]


def test_a_name_has_one_formula() -> None:
    cost(call("mm"))
    with pytest.raises(ValueError, match="two formulas for mm"):
        formula("mm", kind="matmul")(lambda op: None)


SIZES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
DTYPES = st.sampled_from(["float32", "bfloat16", "int64", "bool", "complex64", "unknown"])
TENSORS = st.builds(Tensor, shape=SIZES, dtype=DTYPES, layout=st.sampled_from("clns"))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.floats(), st.text(max_size=3))
VALUES = st.one_of(TENSORS, SCALARS, st.lists(st.one_of(TENSORS, SCALARS), max_size=3).map(tuple))


@given(st.data())
def test_any_record_of_any_op_has_a_cost(data: st.DataObject) -> None:
    """Whatever the arguments: no exception, nothing negative, a known kind."""
    name = data.draw(st.sampled_from(sorted(names())))
    arguments = data.draw(st.lists(VALUES, max_size=8))
    given_back = tuple(data.draw(st.lists(VALUES, max_size=3)))
    _sound(cost(call(name, *arguments, out=given_back)))


def test_no_formula_raises_without_arguments() -> None:
    for name in names():
        _sound(cost(call(name)))


def _sound(found: Cost) -> None:
    for number in (found.flops, found.bytes_read, found.bytes_written):
        assert isfinite(number)
        assert number >= 0
    assert found.kind in KINDS


def test_names_are_read_from_every_family() -> None:
    found = names()
    assert {"mm", "convolution", "_softmax", "view", "_fused_adam", "sort", "_fft_r2c"} <= set(found)
    assert len(found) == len(set(found))


def test_indices_do_not_decide_the_dtype() -> None:
    assert cost(call("index", t(9, dtype="bfloat16"), (ids(3),), out=t(3, dtype="bfloat16"))).dtype == "bfloat16"
