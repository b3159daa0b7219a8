"""Ledgers over fake spools: exact."""

import pytest

from narrows.job.watch import Sample
from narrows.ledger.account import account
from narrows.ledger.build import totals
from narrows.ledger.contention import (
    busy,
    charge,
    helpers_busy,
    main_waited_share,
    slowdown,
    taken_by_others,
    waited_share,
)
from narrows.ledger.rows import check, rows
from narrows.report.model import Row
from tests.fakes import CEILINGS, boundaries, line, ns, op, process, tensor, window

MM = (tensor(1024, 1024), tensor(1024, 1024))  # 2.1 Gflop: 10.7 ms at the fake ceiling


def test_a_step_is_split_by_cause() -> None:
    job = process(
        boundaries(next=5.0, forward=20.0, loss=1.0, save=2.0, communication=3.0, wait=1.0, tail=4.0),
        window("ops", ops=(op("mm", *MM, out=tensor(1024, 1024), ms=15.0),)),
        window("lines", lines=(line(3, 4.0, role="callback"), line(2, 1.0, state="loss"))),
    )
    mine = account(job, lambda _: 5e-6, CEILINGS)
    assert mine.steady is not None
    sums = totals(mine.entries)
    assert sums["input"] == pytest.approx(0.005)
    assert sums["communication"] == pytest.approx(0.004)
    assert sums["host"] == pytest.approx(0.006)
    assert sums["compute"] == pytest.approx(0.015 - 5e-6)
    assert sums["overhead"] == pytest.approx(0.020 - 0.015 + 5e-6 + 0.001)
    assert sum(sums.values()) == pytest.approx(mine.steady.median)
    made = rows(sums, mine.kernels, 0.0, mine.steady.median, CEILINGS)
    compute = next(row for row in made if row.cause == "compute")
    assert compute.floor_seconds == pytest.approx(2 * 1024**3 / 2e11, rel=1e-6)


def test_without_a_line_window_a_gap_is_unexplained_and_without_an_op_window_so_is_the_rest() -> None:
    mine = account(process(boundaries(forward=8.0, tail=2.0)), lambda _: None, CEILINGS)
    assert totals(mine.entries)["unexplained"] == pytest.approx(0.010)


def test_deep_kernels_that_do_not_fit_are_scaled_down() -> None:
    job = process(boundaries(forward=10.0), window("ops", ops=(op("mm", *MM, out=tensor(1024, 1024), ms=40.0),)))
    mine = account(job, lambda _: 5e-6, CEILINGS)
    sums = totals(mine.entries)
    assert sums["compute"] == pytest.approx(0.010)
    assert sums["overhead"] == pytest.approx(0.0, abs=1e-9)
    assert sum(k.seconds for k in mine.kernels) == pytest.approx(0.010)


def test_ops_with_nothing_to_do_are_overhead() -> None:
    small = op("add", tensor(4), tensor(4), out=tensor(4), ms=0.01)
    mine = account(process(boundaries(forward=1.0), window("ops", ops=(small,))), lambda _: 3e-6, CEILINGS)
    assert totals(mine.entries)["overhead"] == pytest.approx(0.001, rel=1e-3)


def test_a_small_product_whose_threads_wait_for_a_core_is_overhead_and_one_in_slow_arithmetic_is_not() -> None:
    held = op("mm", tensor(64, 16), tensor(16, 32), out=tensor(64, 32), ms=5.0)
    mine = account(process(boundaries(forward=6.0), window("ops", ops=(held,))), lambda _: 5e-6, CEILINGS)
    assert totals(mine.entries)["overhead"] == pytest.approx(0.006, rel=1e-3)
    slow = op("mm", *MM, out=tensor(1024, 1024), ms=1000.0)
    mine = account(process(boundaries(forward=1000.0), window("ops", ops=(slow,))), lambda _: 5e-6, CEILINGS)
    assert totals(mine.entries)["compute"] == pytest.approx(1.0, rel=1e-3)


def test_broken_ledgers_are_not_shown() -> None:
    row = Row(cause="input", seconds=1.0, share=0.5, floor_seconds=0.0, basis="measured")
    with pytest.raises(AssertionError, match="sum"):
        check([row], 2.0)


def test_workers_that_take_the_cores_are_charged_to_input() -> None:
    samples = [
        Sample(at_ns=i * 100, pid=pid, ran_ns=i * 50, most_waited_ns=i * 20, threads=2)
        for i in range(5)
        for pid in (1, 2)
    ]
    assert waited_share(samples, 1, 0, 400) == pytest.approx(0.2)
    assert busy(samples, [2], 0, 400) == pytest.approx(0.5)
    job = process(
        boundaries(forward=8.0, next=2.0), window("ops", ops=(op("mm", *MM, out=tensor(1024, 1024), ms=8.0),))
    )
    charged = totals(charge(account(job, lambda _: 5e-6, CEILINGS).entries, 0.2, "input"))
    assert charged["input"] == pytest.approx(0.002 + 0.2 * 0.010)
    assert sum(charged.values()) == pytest.approx(0.010)


def test_threads_that_carry_gradients_are_told_from_the_one_that_computes() -> None:
    samples = [
        Sample(at_ns=i * 100, pid=1, ran_ns=i * 90, threads=3, main_ran_ns=i * 60,
               main_waited_ns=i * 30)
        for i in range(5)
    ]  # fmt: skip
    assert main_waited_share(samples, 1, 0, 400) == pytest.approx(0.3)
    assert helpers_busy(samples, [1], 0, 400) == pytest.approx(0.3)
    assert main_waited_share(samples, 2, 0, 400) == helpers_busy(samples, [], 0, 400) == 0.0


def paused(found: list[tuple[int, ...]], boundaries: int | None = None) -> dict[str, object]:
    return {"ns": found, "batches": len(found), "boundaries": boundaries or len(found), "producers": 0}


def test_what_workers_cost_the_rest_of_the_step_is_measured_while_they_pause() -> None:
    alone = [ns(forward=3.0, optimizer=1.0)] * 4
    job = process(boundaries(forward=6.0, optimizer=2.0, next=4.0), alone=[paused(alone)])
    typical = account(job, lambda _: None, None).steady
    assert typical is not None
    assert slowdown(job, typical, 1.0) == pytest.approx(4.0 / 12.0)
    assert slowdown(process(job.boundaries, alone=[paused(alone[:2])]), typical, 1.0) is None


def test_of_a_step_of_several_batches_each_has_its_part_of_the_forward_and_one_the_update() -> None:
    looks = paused([ns(forward=2.0)] * 3 + [ns(forward=2.0, optimizer=4.0)], boundaries=1)
    job = process(boundaries(forward=8.0, optimizer=4.0), alone=[looks])
    typical = account(job, lambda _: None, None).steady
    assert typical is not None
    assert slowdown(job, typical, 1.0) == pytest.approx(0.0)


def test_a_core_that_something_else_had_is_told_from_the_jobs_own_threads() -> None:
    samples = [Sample(at_ns=i * 100, pid=1, ran_ns=i * 120, most_waited_ns=i * 40, threads=2) for i in range(5)]
    job = process(boundaries(forward=8.0))
    assert taken_by_others(samples, job, 2, 0, 400) == pytest.approx(0.4)
    assert taken_by_others(samples, job, 1, 0, 400) == 0.0  # its own two threads had the one core in turn
    helper = [Sample(at_ns=i * 100, pid=7, ran_ns=i * 60, threads=1) for i in range(5)]
    assert taken_by_others([*samples, *helper], job, 2, 0, 400) == 0.0


def test_ops_keep_their_time_and_traced_python_is_scaled_to_the_undisturbed_step() -> None:
    job = process(
        boundaries(forward=6.0, tail=4.0),
        window("ops", ops=(op("mm", *MM, out=tensor(1024, 1024), state="tail", ms=2.0, where=("train.py", 5)),)),
        window("lines", lines=(line(5, 2.0), line(6, 4.0, role="callback"))),  # 6 ms when traced, 4 when not
    )
    mine = account(job, lambda _: 5e-6, CEILINGS)
    assert {gap.line: round(gap.seconds, 6) for gap in mine.gaps} == {5: 0.002, 6: 0.002}
