"""Steps that are one call: what the recording says divides it."""

import pytest

from narrows.ledger.account import account
from narrows.ledger.build import totals
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window

A = tensor(64, 64)
OPS = (
    op("tf::MatMul", A, A, out=A, state="forward", ms=1.0),
    op("tf::MatMul", A, A, out=A, state="backward", ms=2.0),
    op("tf::Sub", A, A, out=A, state="optimizer", ms=1.0),
)
LOOK = {"boundaries": 1, "input_ns": 3 * fakes.MS, "ns": 10 * fakes.MS, "stages": []}


def entries(ops: tuple = OPS, look: dict | None = LOOK, **states: float):  # type: ignore[no-untyped-def, type-arg]
    events = {"graphs": look} if look is not None else {}
    return account(process(boundaries(**states), window("ops", ops=ops), **events), lambda _: None, fakes.CEILINGS)


def test_a_call_is_divided_and_sums_to_itself() -> None:
    found = entries(graph=10.0)
    assert found.steady is not None
    seconds = found.steady.seconds
    assert seconds["next"] == pytest.approx(3e-3)
    assert [seconds[s] for s in ("forward", "backward", "optimizer")] == pytest.approx([1e-3, 2e-3, 1e-3])
    assert seconds["graph"] == pytest.approx(3e-3)
    assert sum(totals(found.entries).values()) == pytest.approx(10e-3)
    assert totals(found.entries)["unexplained"] == 0


def test_what_was_slower_in_the_window_is_made_to_fit() -> None:
    found = entries(graph=5.0)
    assert found.steady is not None
    assert found.steady.seconds["next"] == pytest.approx(3e-3)
    assert found.steady.seconds["backward"] == pytest.approx(1e-3)
    assert found.steady.seconds["graph"] == pytest.approx(0.0, abs=1e-9)


def test_a_step_without_such_calls_stays_as_it_was() -> None:
    found = entries(look=None, forward=4.0)
    assert found.steady is not None
    assert found.steady.seconds["forward"] == pytest.approx(4e-3)


def test_keras_own_python_is_overhead_and_a_callback_is_host_where_it_stands() -> None:
    seen = [["A", "on_epoch_end", 30, 1, ["/a.py", 3, "on_epoch_end"]], ["B", "on_batch_end", 10, 1, ["/a.py", 9, "x"]]]
    job = process(boundaries(graph=4.0, trainer=2.0, callback=4.0), window("ops", ops=OPS), graphs=LOOK,
                  callbacks={"seen": seen})  # fmt: skip
    found = account(job, lambda _: None, fakes.CEILINGS)
    assert totals(found.entries)["host"] == pytest.approx(4e-3)
    where = {e.where: e.seconds for e in found.entries if e.cause == "host"}
    assert where == {("/a.py", 3): pytest.approx(3e-3), ("/a.py", 9): pytest.approx(1e-3)}
    assert totals(found.entries)["overhead"] >= 2e-3
