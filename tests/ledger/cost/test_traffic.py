from dataclasses import replace

import pytest

from narrows.ledger.cost import traffic
from tests.ledger.cost.calls import call, ids, t


def test_tensors_are_found_however_deep() -> None:
    assert traffic.tensors((t(1), (2, (t(3), None)), "x")) == [t(1), t(3)]


def test_a_sparse_tensor_has_no_known_bytes() -> None:
    assert traffic.size(t(1000, 1000, layout="s")) == 0


@pytest.mark.parametrize(
    ("dtype", "size"), [("float32", 4), ("bfloat16", 2), ("quint8", 1), ("complex128", 16), ("nobody's", 4)]
)
def test_item_bytes(dtype: str, size: int) -> None:
    assert traffic.item_bytes(dtype) == size


def test_what_receives_is_not_read() -> None:
    receiving = replace(
        call("topk", t(9), 3, overload="values", out=(t(3), ids(3))), keywords={"values": t(3), "indices": ids(3)}
    )
    assert traffic.inputs(receiving) == [t(9)]
    plain = replace(call("add", t(4), t(4), overload="out"), keywords={"out": t(4)})
    assert traffic.inputs(plain) == [t(4), t(4)]
    assert traffic.results(plain) == [t(4)]


def test_results_are_the_outputs_or_what_was_changed() -> None:
    assert traffic.results(call("add", t(4), out=t(5))) == [t(5)]
    assert traffic.results(call("_foreach_add_", (t(4), t(2)), 1)) == [t(4), t(2)]
    assert traffic.results(call("add", t(4))) == []


@pytest.mark.parametrize(
    ("dtypes", "widest"),
    [
        (("bfloat16", "float32"), "float32"),
        (("int64", "float16"), "float16"),
        (("int64", "bool"), "int64"),
    ],
)
def test_the_widest_floating_input_decides(dtypes: tuple[str, ...], widest: str) -> None:
    assert traffic.widest(call("add", *(t(2, dtype=dtype) for dtype in dtypes))) == widest


def test_a_scalar_tensor_does_not_widen() -> None:
    assert traffic.widest(call("mul", t(8, dtype="bfloat16"), t(dtype="float64"))) == "bfloat16"
    assert traffic.widest(call("mul", t(dtype="float64"))) == "float64"


def test_the_output_decides_if_nothing_floating_goes_in() -> None:
    assert traffic.widest(call("sum", ids(4), out=t(1))) == "float32"
    assert traffic.widest(call("nothing")) == "float32"


def test_an_argument_by_position_by_name_or_left_out() -> None:
    assert traffic.argument(call("x", 1, 2), 1, "b") == 2
    assert traffic.argument(call("x", 1, b=3), 1, "b") == 3
    assert traffic.argument(call("x", 1), 1, "b", 9) == 9
    with pytest.raises(ValueError, match="no tensor b"):
        traffic.tensor(call("x", 1), 0, "b")
