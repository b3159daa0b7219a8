"""Findings on jobs of several ranks: first what must not raise them, then what they say."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from narrows.findings import findings, oversubscription
from narrows.findings.view import View
from narrows.report.model import Ceilings, Finding, Link
from tests.fakes import CEILINGS
from tests.findings.ranks import (
    ALIKE,
    CUDA,
    ELSEWHERE,
    HALVES,
    MEETS,
    OPTIMIZER,
    PARALLEL,
    READ,
    REDUCER,
    SEARCHING,
    UNSHARED,
    WAITS,
    accumulating,
    called,
    exchanges,
    in_small_buckets,
    in_turns,
    job,
    sync,
    uneven,
)  # fmt: skip


def ids(view: View) -> set[str]:
    return {finding.id for finding in findings(view)}


def found(view: View, name: str) -> Finding:
    return next(finding for finding in findings(view) if finding.id == name)


def test_a_healthy_job_of_ranks_has_no_finding() -> None:
    assert ids(job()) == set()


def test_ranks_may_be_given_a_little_more_and_take_the_same_time() -> None:
    assert "data-imbalance" not in ids(uneven(33, 32))
    assert ids(uneven(more=0.0)) == set(), "what is more costs nothing"
    assert "data-imbalance" not in ids(uneven(32, 32)), "a slow machine with the same data"


def test_too_few_calls_say_nothing_of_the_data() -> None:
    given = {"numbers": [48] * 4}
    view = uneven()
    early = replace(view.process, events={**view.process.events, "given": (given,)})
    assert "data-imbalance" not in ids(replace(view, process=early))


def test_what_more_data_cost_is_what_the_slowest_takes_above_the_mean() -> None:
    it = found(uneven(), "data-imbalance")
    assert it.seconds == pytest.approx(2e-3)
    assert it.cause == "compute", "what the slowest rank has more of; its own wait is nothing"
    assert "Rank 0" in it.evidence
    assert "50% more" in it.evidence


def test_a_rank_that_has_more_data_is_not_called_slow_for_them_as_well() -> None:
    assert "slow-rank" not in ids(uneven())
    assert found(uneven(32, 32), "slow-rank").seconds == pytest.approx(4e-3)
    partly = found(uneven(48, 40, more=8.0), "slow-rank")
    assert partly.seconds == pytest.approx(8e-3 - 16e-3 * (1 - 40 / 48))


def test_ranks_that_are_uneven_in_turns() -> None:
    it = found(in_turns(), "data-imbalance")
    assert it.seconds == pytest.approx(2e-3, rel=0.1)
    assert it.cause == "communication"
    assert "another rank" in it.evidence


def test_samples_tell_where_numbers_were_not_counted() -> None:
    view = uneven()
    bare = [
        replace(p, events={k: v for k, v in p.events.items() if k != "given"}) for p in (view.process, *view.others)
    ]
    more = [replace(b, samples=96) for b in bare[0].boundaries]
    one = replace(bare[0], boundaries=tuple(more))
    steps = replace(view.steps, steps=tuple(replace(s, samples=96) for s in view.steps.steps))
    assert "data-imbalance" not in ids(replace(view, process=bare[0], others=(bare[1],)))
    assert "data-imbalance" in ids(replace(view, process=one, others=(bare[1],), steps=steps))


def test_a_data_parallel_of_one_device_is_in_vain_and_costs_nothing() -> None:
    told = {"class": "DataParallel", "data_parallel": True, "bytes": 1, "where": None}
    for devices in (0, 1):
        it = found(job(model={**told, "devices": devices}), "data-parallel")
        assert (it.seconds, it.title) == (0.0, "DataParallel has nothing to divide")


def looks(*unused: int | None) -> list[dict[str, Any]]:
    return [{"update": i, **REDUCER, "unused_bytes": size} for i, size in enumerate(unused)]


def test_a_model_that_leaves_out_parameters_now_and_then_may_look_for_them() -> None:
    told = {"layers": [], "unused": ["branch.weight"], "unused_elements": 10}
    assert "find-unused-parameters" not in ids(job(parallel=SEARCHING, gradients=[told, told, told]))
    assert "find-unused-parameters" not in ids(job(parallel=SEARCHING, reducer=looks(0, 400, 0)))
    other = {"reducer": looks(0, 0, 400)}
    assert "find-unused-parameters" not in ids(job(parallel=SEARCHING, other=other)), "each rank has its own flow"


def test_who_does_not_tell_what_was_unused_is_not_believed() -> None:
    assert "find-unused-parameters" not in ids(job(parallel=SEARCHING, reducer=looks(0, 0)))
    assert "find-unused-parameters" not in ids(job(parallel=SEARCHING, reducer=looks(None, None, None)))
    assert "find-unused-parameters" not in ids(job(parallel={**SEARCHING, "static_graph": True}))


def test_looking_for_unused_parameters_costs_what_was_measured() -> None:
    told = [{**look, "searched_ns": 200_000, "searches": 2} for look in looks(0, 0, 0)]
    view = job(parallel=SEARCHING, reducer=told)
    assert found(view, "find-unused-parameters").seconds == pytest.approx(1e-4)
    ceilings = replace_ceilings(latency_seconds=2e-5, bandwidth=1e9)
    assert found(replace(view, ceilings=ceilings), "find-unused-parameters").seconds == pytest.approx(1.2e-4)


def replace_ceilings(**measured: float) -> Ceilings:
    link = Link(ranks=2, backend="gloo", by_size=[], **measured)
    return msgspec.structs.replace(CEILINGS, collective={"all-reduce": link})


def test_gradients_may_be_accumulated_without_sync_and_parts_may_run_twice() -> None:
    assert "sync-every-micro-batch" not in ids(accumulating((sync(2, 4),)))
    assert "sync-every-micro-batch" not in ids(accumulating((sync(2, 5),)))
    assert "sync-every-micro-batch" not in ids(accumulating((sync(2, 16),), backwards=1)), (
        "a large batch, or no accumulation"
    )
    two = job(ops=(sync(8, 2),), states=WAITS, parallel=[PARALLEL, PARALLEL])
    assert "sync-every-micro-batch" not in ids(two), "two models, each exchanged once"


def test_three_of_four_exchanges_are_saved() -> None:
    it = found(accumulating((sync(2, 16),)), "sync-every-micro-batch")
    assert 3e-3 <= it.seconds <= 4.3e-3
    assert it.where == "train.py:20"


def test_buckets_may_be_as_they_come() -> None:
    assert "bucket-size" not in ids(job(ops=(sync(2), sync(6)), states=WAITS, cores=8)), "divided"
    small = {**PARALLEL, "bytes": 2 << 20}
    assert "bucket-size" not in ids(job(ops=(sync(2),), states=WAITS, cores=8, parallel=small)), "too little to divide"
    assert "bucket-size" not in ids(in_small_buckets(backward=2e3)), "nobody notices"


def test_what_no_core_is_free_for_does_not_overlap() -> None:
    whole = {"states": WAITS, "ops": (sync(8, dtype="bfloat16"),), "parallel": {**PARALLEL, "bytes": 8 * (1 << 20)}}
    assert "bucket-size" not in ids(job(cores=2, **whole))


def test_one_bucket_for_all_waits_for_the_whole_backward() -> None:
    it = found(job(ops=(sync(8),), states=WAITS, cores=8), "bucket-size")
    assert it.seconds == pytest.approx(4e-3 * 7 / 8)
    assert "100% of the gradients" in it.evidence


def test_one_large_parameter_cannot_be_divided() -> None:
    layers = {"layers": [["table.weight", 1.0, 1.0, 2 << 20]], "unused": [], "unused_elements": 0}
    assert "bucket-size" not in ids(job(ops=(sync(8),), states=WAITS, cores=8, gradients=[layers] * 3))


def test_many_buckets_cost_the_latency_that_was_measured() -> None:
    slow = replace(in_small_buckets(), ceilings=replace_ceilings(latency_seconds=2e-5, bandwidth=1e9))
    assert found(slow, "bucket-size").seconds == pytest.approx(126 * 2e-5)


def test_what_bytes_need_on_a_slow_link_is_no_latency() -> None:
    assert "bucket-size" not in ids(in_small_buckets(wait=1.0))
    assert found(in_small_buckets(), "bucket-size").seconds == pytest.approx(
        (16e-3 - 2 * (2 << 20) / 1e9) * 126 / 128, rel=0.2
    )


def test_gradients_that_nobody_waits_for_or_that_are_half_already_or_small_may_stay() -> None:
    assert "gradients-full-precision" not in ids(job(ops=(sync(8),), other=ELSEWHERE))
    assert "gradients-full-precision" not in ids(job(ops=HALVES, states=WAITS, other=ELSEWHERE))
    assert "gradients-full-precision" not in ids(job(ops=(sync(1 / 32, 256),), states=WAITS, other=ELSEWHERE))


def test_between_processes_of_one_machine_fewer_bytes_are_no_gain() -> None:
    assert "gradients-full-precision" not in ids(job(ops=(sync(8),), states=WAITS))
    device = {**PARALLEL, "device": "cuda"}
    assert "gradients-full-precision" in ids(job(ops=(sync(8),), states=WAITS, parallel=device))


def test_half_of_the_bytes_save_half_of_the_wait_less_the_conversion() -> None:
    it = found(job(ops=(sync(8),), states=WAITS, other=ELSEWHERE), "gradients-full-precision")
    assert 0.8e-3 < it.seconds < 2e-3


def test_a_few_calls_or_large_ones_or_late_ones_are_no_loop() -> None:
    few = exchanges(("all_reduce", 30, 4, 100))
    assert "collective-in-loop" not in ids(job(ops=(called(4),), states=MEETS, exchanges=few))
    large = exchanges(("all_reduce", 30, 30, 100))
    assert "collective-in-loop" not in ids(job(ops=(called(30, 1 << 20),), states=MEETS, exchanges=large))
    late = {"seen": [["all_reduce", "/train.py", 30, 3000, 300_000_000, 1000, 2_900_000]]}  # one of each step waits
    assert "collective-in-loop" not in ids(job(ops=(called(30),), states=MEETS, exchanges=late))


def test_a_loop_saves_all_calls_but_the_longest() -> None:
    view = job(ops=(called(30),), states=MEETS, exchanges=exchanges(("all_reduce", 30, 30, 100)))
    assert found(view, "collective-in-loop").seconds == pytest.approx(29e-4)
    short = {**MEETS, "communication": 2.0}  # the undisturbed steps know better
    view = job(ops=(called(30),), states=short, exchanges=exchanges(("all_reduce", 30, 30, 100)))
    assert found(view, "collective-in-loop").seconds == pytest.approx(2e-3 * 29 / 30)


def test_of_a_loop_with_large_tensors_the_small_ones_cost_what_the_quickest_call_does() -> None:
    ops = (called(20), called(10, 1 << 20))
    view = job(ops=ops, states={**MEETS, "communication": 30.0}, exchanges=exchanges(("all_reduce", 30, 30, 1000)))
    quick = {"seen": [[*row[:5], 200_000, row[6]] for row in exchanges(("all_reduce", 30, 30, 1000))["seen"]]}
    assert found(view, "collective-in-loop").seconds == pytest.approx(19e-3)
    view = job(ops=ops, states={**MEETS, "communication": 30.0}, exchanges=quick)
    assert found(view, "collective-in-loop").seconds == pytest.approx(19 * 2e-4)


def test_a_metric_may_be_reduced_now_and_then_and_a_norm_has_to_be() -> None:
    told = exchanges(("all_reduce", 30, 1, 3000))
    sometimes = job(ops=(*HALVES, called(), READ), states=MEETS, exchanges=told)
    windows = tuple(replace(w, steps=20) for w in sometimes.process.windows)
    assert "blocking-metric-reduction" not in ids(
        replace(sometimes, process=replace(sometimes.process, windows=windows))
    )
    assert "blocking-metric-reduction" not in ids(job(ops=(*HALVES, called()), states=MEETS, exchanges=told)), (
        "not read"
    )
    large = job(ops=(*HALVES, called(1, 1 << 16), READ), states=MEETS, exchanges=told)
    assert "blocking-metric-reduction" not in ids(large)
    tiny = {**OPTIMIZER, "gradient_bytes": 40}
    by_hand = job(ops=(called(1, 10), READ), states=MEETS, exchanges=told, optimizer=tiny)
    assert "blocking-metric-reduction" not in ids(by_hand), "the gradients of a tiny model"


def test_each_line_has_its_own_part_of_the_communication() -> None:
    told = exchanges(("all_reduce", 30, 1, 3000), ("broadcast", 40, 1, 1000))
    it = found(job(ops=(*HALVES, called(), READ), states=MEETS, exchanges=told), "blocking-metric-reduction")
    assert it.seconds == pytest.approx(3e-3 * 3 / 4)
    assert it.where == "train.py:30"


def test_who_is_late_for_a_metric_is_late_for_the_next_exchange() -> None:
    late = {
        "seen": [["all_reduce", "/train.py", 30, 100, 300_000_000, 800_000, 0]]
    }  # 3 ms each, 0.8 when nobody is late
    view = job(ops=(*HALVES, called(), READ), states=MEETS, exchanges=late)
    assert found(view, "blocking-metric-reduction").seconds == pytest.approx(8e-4)


def test_ranks_that_share_a_model_or_see_other_data_are_right() -> None:
    assert "same-data" not in ids(job(inputs=ALIKE, parallel=[])), "tensor parallel"
    groups = {"parallel": {**PARALLEL, "group": [0, 2]}, "inputs": ALIKE}
    assert "same-data" not in ids(job(**groups)), "the other replica is elsewhere"
    two = [*ALIKE[:2], {"seen": [[[32, 8], 50]]}, {"seen": [[[32, 8], 51]]}]
    assert "same-data" not in ids(job(inputs=ALIKE, other={"inputs": two})), "a warm-up on made-up numbers"
    shifted = {"inputs": [*ALIKE[1:], ALIKE[0]]}
    assert "same-data" not in ids(job(inputs=ALIKE, other=shifted)), "the same in another order"


def test_same_data_is_found_where_gradients_are_averaged_by_hand() -> None:
    by_hand = (called(4, 1 << 19), READ)
    view = job(ops=by_hand, states=MEETS, parallel=[], inputs=ALIKE, exchanges=exchanges(("all_reduce", 30, 4, 100)))
    assert found(view, "same-data").seconds == pytest.approx(view.step / 2)


def test_a_rank_may_go_through_a_dataset_that_is_its_own_part() -> None:
    assert "same-data" not in ids(job(loader=UNSHARED, other={"loader": {**UNSHARED, "content": 8}}))
    assert "same-data" not in ids(job(loader={**UNSHARED, "content": None})), "cannot be told"
    assert "same-data" not in ids(job(loader={**UNSHARED, "batches": 5})), "batches are shared out"
    assert "same-data" not in ids(job(loader={**UNSHARED, "sampler": "SequentialSampler"})), "a loader for evaluation"
    it = found(job(loader=UNSHARED), "same-data")
    assert (it.seconds, it.title) == (0.0, "Each rank goes through the whole dataset")


def test_ranks_on_other_machines_have_other_cores() -> None:
    threads = {"torch": {"version": "2", "threads": 2, "cuda": False}}
    assert "oversubscription" in ids(job(**threads))
    assert "oversubscription" not in ids(job(other=ELSEWHERE, **threads))
    mixed = job(torch={"version": "2", "threads": 3, "cuda": False}, other={"torch": {"version": "2", "threads": 1}})
    assert "oversubscription" in ids(mixed)


def test_more_threads_than_cores_cost_what_ops_take_less_without() -> None:
    view = job(torch={"version": "2", "threads": 2, "cuda": False})
    took = sum(k.seconds + k.fixed for k in view.kernels)
    calls = sum(k.calls for k in view.kernels)
    (modelled,) = oversubscription.find(view)
    (measured,) = oversubscription.find(replace(view, apart=lambda op: 0.25 * took / calls))
    assert measured.seconds == pytest.approx(0.75 * took)
    assert measured.seconds != pytest.approx(modelled.seconds)
    (worse,) = oversubscription.find(replace(view, apart=lambda op: 2 * took / calls))
    assert worse.seconds == 0


def test_gloo_is_right_for_the_cpu_and_for_two_ranks_on_one_device() -> None:
    assert "slow-backend" not in ids(job(torch=CUDA)), "a model on the CPU"
    cuda = {**PARALLEL, "device": "cuda"}
    assert "slow-backend" not in ids(job(torch={**CUDA, "devices": ["H100"]}, parallel=cuda))
    assert "slow-backend" not in ids(job(torch=CUDA, parallel={**cuda, "backend": "nccl"}))
