"""What giving memory back costs, and where it is counted."""

import pytest

from narrows.ledger import pages
from narrows.ledger.account import account
from narrows.ledger.build import totals
from narrows.spool.record import Process
from tests.fakes import CEILINGS, boundaries, op, process, tensor, window

LARGE = tensor(1024, 1024)


def job(since: int | None, until: int | None, *, forward: float = 10.0, steps: int = 40) -> Process:
    work = window("ops", ops=(op("add", LARGE, LARGE, out=LARGE, ms=4.0),))
    events = {"settled": {"boundaries": 0, "faults": since}, "pages": {"boundaries": steps, "faults": until}}
    return process(boundaries(forward=forward), work, **events)


def overhead(of: Process) -> float:
    return totals(account(of, lambda _: 5e-6, CEILINGS).entries)["overhead"]


@pytest.mark.parametrize("of", [job(None, None), job(5, 5), job(5, None), job(0, 400_000, steps=3)])
def test_nothing_is_moved_where_no_pages_were_counted(of: Process) -> None:
    assert pages.per_step(of, 1.0) == 0.0
    assert overhead(of) == pytest.approx(0.006, rel=0.01)


def test_what_is_given_back_goes_from_overhead_to_memory() -> None:
    mine = job(100, 100 + 40 * 8000)
    assert pages.per_step(mine, 1.0) == 8000
    sums = totals(account(mine, lambda _: 5e-6, CEILINGS).entries)
    moved = 8000 * CEILINGS.page_release_seconds
    assert sums["overhead"] == pytest.approx(0.006 - moved, rel=0.01)
    assert sums["bandwidth"] == pytest.approx(0.004 + moved, rel=0.01)
    assert sum(sums.values()) == pytest.approx(0.010)


def test_what_ops_cost_to_be_called_stays_overhead() -> None:
    mine = account(job(0, 40 * 1_000_000), lambda _: 1e-3, CEILINGS)
    assert totals(mine.entries)["overhead"] == pytest.approx(1e-3, rel=0.01)
