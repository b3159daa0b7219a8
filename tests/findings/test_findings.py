"""Every finding: planted in a fake spool it is found, and in a healthy one it is not."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import narrows.findings as package
from narrows.findings import findings
from narrows.findings.view import View
from narrows.spool.record import CALL
from tests import fakes
from tests.fakes import boundaries, line, op, process, tensor, window
from tests.findings import ranks

MM = op("mm", tensor(512, 512, dtype="bfloat16"), tensor(512, 512, dtype="bfloat16"),
        out=tensor(512, 512, dtype="bfloat16"), ms=8.0)  # fmt: skip
LOADER = {"who": 0, "epoch": 0, "workers": 2, "batch_size": 32, "persistent": True, "prefetch": 2, "batches": 10,
          "where": ["/train.py", 3, "main"], "sample": ["/data.py", 9, "__getitem__"]}  # fmt: skip
FETCHES = {"batches": 10, "samples": 320, "fetch_ns": 1000, "collate_ns": 100, "cpu_ns": 950, "since": 0, "until": 2000}
LAYERS = [["a.weight", 1.0, 1.0, 100], ["b.weight", 0.5, 1.0, 100], ["c.weight", 0.7, 1.0, 100]]
LOOK = {"layers": LAYERS, "unused": [], "unused_elements": 0}
OPTIMIZER = {"who": 0, "class": "Adam", "tensors": 10, "foreach": None, "fused": None, "state_bytes": 0,
             "where": ["/train.py", 9, "main"]}  # fmt: skip
MODEL = {"who": 0, "class": "Net", "bytes": 1000, "parameters": 250, "where": ["/train.py", 5, "main"]}


def healthy(**changes: Any) -> View:
    """A job that is at its limit, and has nothing to find."""
    states = changes.pop("states", {"next": 0.1, "forward": 4.0, "backward": 4.0, "optimizer": 1.0})
    ops = changes.pop("ops", (MM, op("_fused_adam_", (tensor(9),), state="optimizer", ms=0.9)))
    lines = changes.pop("lines", ())
    kind = changes.pop("kind", 0)
    made = changes.pop("boundaries", None) or boundaries(kind=kind, **states)
    given = {name: changes.pop(name) for name in ("workers", "others", "lang", "cores", "fixed") if name in changes}
    events: dict[str, Any] = {
        "model": MODEL, "loader": LOADER, "fetches": FETCHES, "optimizer": OPTIMIZER,
        "gradients": [{"update": 0, **LOOK}, {"update": 1, **LOOK}], "mode": {"anomaly": False},
        "values": {"denormal": [0, 1000], "padding": [], "rectified": [[[32, 64], 0.5, 0.1]], "input_bytes": 0},
        **changes,
    }  # fmt: skip
    return fakes.view(process(made, window("ops", ops=ops), window("lines", lines=lines), **events), **given)


def ids(view: View) -> set[str]:
    return {finding.id for finding in findings(view)}


def inference(**changes: Any) -> View:
    return healthy(kind=CALL, states={"forward": 9.0}, optimizer=[], gradients=[], **changes)


SMALL_OPS = tuple(op("add", tensor(4), tensor(i + 1), out=tensor(4), ms=0.01) for i in range(100))
CELL = op("_thnn_fused_lstm_cell", tensor(4, 4), out=tensor(4, 4), ms=0.5, count=50)
F64 = op("mm", *[tensor(512, 512, dtype="float64")] * 2, out=tensor(512, 512, dtype="float64"), ms=4.0)
F32 = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=4.0)
F16 = op("mm", *[tensor(512, 512, dtype="float16")] * 2, out=tensor(512, 512, dtype="float16"), ms=4.0)
TABLE = op("embedding_dense_backward", tensor(8, 64), tensor(8, dtype="int64"), 100000, -1, False,
           out=tensor(100000, 64), state="backward", ms=3.0)  # fmt: skip
ATTENTION = op("_scaled_dot_product_flash_attention_for_cpu", *[tensor(1, 4, 512, 64)] * 3, 0.0, False,
               out=tensor(1, 4, 512, 64), ms=4.0)  # fmt: skip
TRANSPOSED = op("clone", tensor(512, 512, layout="n"), out=tensor(512, 512), ms=3.0)
WORKER = process((), worker={"parent": 1, "worker": 0}, samples={"lines": [["/data.py", "Set.slow", 1, 5, 3, 900]]})
SYNC = op("_local_scalar_dense", tensor(), state="tail", ms=3.0, where=("/train.py", 30))
BUSY = {"next": 4.0, "forward": 5.0}

VALUES = {"denormal": [0, 1], "padding": [], "rectified": []}
SIGMOID = {"name": "sigmoid", "shape": [32, 64], "part": 0.8, "inner": True}
DROPPED = op("bernoulli_", tensor(512, 512), 0.9, out=tensor(512, 512), ms=1.5)


def turns(odd: int) -> tuple[Any, ...]:
    """Steps of one of two ranks, each of which is the slower one in every other step."""
    return tuple(
        fakes.boundary(9.0 * (i + 1), forward=5.0 if i % 2 == odd else 8.0, wait=4.0 if i % 2 == odd else 1.0)
        for i in range(40)
    )


def curve(until: float) -> list[list[float]]:
    """Losses with noise that fall until so far into the job."""
    return [[float(16 * i), max(0.5, 2.0 - 1.5 * i / (until * 320)) + 0.05 * (-1) ** i] for i in range(320)]


def variety(*spreads: float) -> list[dict[str, Any]]:
    return [{"model": "Critic", "shape": [32, 1, 8, 8], "spread": spread} for spread in spreads]


TRAINER = {"who": 0, "run_eagerly": False, "where": ["/train.py", 7, "main"]}
DATA = {"adapter": "ArrayDataAdapter", "batch_size": 32, "batches": 100, "samples": 3200, "workers": None,
        "where": ["/train.py", 7, "main"]}  # fmt: skip
PIPELINE = {"stages": [["PrefetchDataset", None], ["ParallelMapDataset", -1], ["CacheDataset", None]],
            "where": ["/train.py", 7, "main"]}  # fmt: skip


def keras(**changes: Any) -> View:
    """A job of Keras that is at its limit."""
    told = {"keras": {"t": 0, "version": "3"}, "trainer": TRAINER, "data": DATA, "pipeline": PIPELINE,
            "started": {"times": 5}, "traced": {"functions": [["step", 2, None]]}, "loader": []}  # fmt: skip
    return healthy(**{**told, **changes})


def pipeline(*stages: str) -> View:
    return keras(states=BUSY, pipeline={**PIPELINE, "stages": [[stage, None] for stage in stages]})


PLANTED: dict[str, Callable[[], View]] = {
    "single-process-loader": lambda: healthy(states=BUSY, loader={**LOADER, "workers": 0}),
    "too-few-workers": lambda: healthy(states=BUSY, loader={**LOADER, "workers": 1}),
    "too-many-workers": lambda: healthy(loader={**LOADER, "workers": 8}),
    "workers-restarted": lambda: healthy(
        loader={**LOADER, "persistent": False},
        boundaries=tuple(
            fakes.boundary((i + 1) * 10, forward=9.0, **({"iter": 30.0} if i % 10 == 9 else {})) for i in range(40)
        ),
    ),
    "slow-sample": lambda: healthy(states=BUSY, workers=(WORKER,)),
    "slow-collate": lambda: healthy(states=BUSY, fetches={**FETCHES, "collate_ns": 800}),
    "batch-waits": lambda: healthy(states=BUSY, fetches={**FETCHES, "cpu_ns": 100}),
    "host-line": lambda: healthy(states={"forward": 8.0, "tail": 2.0}, lines=(line(30, 2.0, role="callback"),)),
    "host-sync": lambda: healthy(states={"forward": 8.0, "tail": 4.0}, ops=(MM, SYNC), lines=(line(30, 4.0),)),
    "checkpoint-in-loop": lambda: healthy(states={"forward": 8.0, "save": 2.0}, save={"where": ["/train.py", 20, "m"]}),
    "evaluation-in-loop": lambda: healthy(
        evaluation={"where": ["/train.py", 40, "validate"]},
        boundaries=tuple(
            fakes.boundary((i + 1) * 10, forward=9.0, **({"evaluate": 60.0} if i % 20 == 19 else {})) for i in range(80)
        ),
    ),
    "optimizer-loop": lambda: healthy(
        ops=(MM, op("mul_", tensor(4), tensor(4), state="optimizer", ms=0.4, count=40)), states={"forward": 8.0, "optimizer": 2.0}
    ),
    "many-small-ops": lambda: healthy(ops=SMALL_OPS),
    "memory-returned": lambda: healthy(
        ops=(op("add", *[tensor(1024, 1024)] * 2, out=tensor(1024, 1024), ms=6.0),),
        settled={"boundaries": 0, "faults": 0}, pages={"boundaries": 40, "faults": 40 * 3000},
    ),
    "time-loop": lambda: healthy(ops=(CELL,)),
    "double-precision": lambda: healthy(ops=(F64,)),
    "slow-reduced-precision": lambda: healthy(ops=(F16,)),
    "full-precision": lambda: healthy(ops=(F32,)),
    "denormals": lambda: healthy(values={"denormal": [500, 1000], "padding": [], "rectified": []}),
    "anomaly-mode": lambda: healthy(mode={"anomaly": True}),
    "gradients-in-inference": lambda: healthy(
        kind=CALL, optimizer=[],
        boundaries=tuple(
            replace(b, gradients=True, backwards=0) for b in boundaries(kind=CALL, forward=9.0)
        ),
    ),
    "train-mode-in-inference": lambda: healthy(
        kind=CALL, optimizer=[], ops=(MM, op("native_dropout", tensor(100), out=tensor(100))),
        boundaries=tuple(
            replace(b, training=True, backwards=0) for b in boundaries(kind=CALL, forward=9.0)
        ),
    ),
    "dense-embedding-gradient": lambda: healthy(ops=(MM, TABLE)),
    "padding-waste": lambda: healthy(values={"denormal": [0, 1], "padding": [[100, 60, "padding_idx"]], "rectified": []}),
    "long-attention": lambda: healthy(ops=(ATTENTION,)),
    "recompilation": lambda: healthy(compile={"graphs": 20, "frames": 1, "seconds": 30.0}),
    "oversubscription": lambda: healthy(torch={"version": "2", "threads": 16, "cuda": False}),
    "too-few-threads": lambda: healthy(torch={"version": "2", "threads": 1, "cuda": False}),
    "layout-copies": lambda: healthy(ops=(MM, TRANSPOSED)),
    "unused-parameters": lambda: healthy(gradients=[{"update": i, **LOOK, "unused": ["x.weight"]} for i in range(3)]),
    "vanishing-gradients": lambda: healthy(
        gradients=[{"update": i, **LOOK, "layers": [["z.weight", 1e-9, 1.0, 100], *LAYERS]} for i in range(3)]
    ),
    "exploding-gradients": lambda: healthy(
        gradients=[{"update": 0, **LOOK}, {"update": 1, **LOOK, "layers": [["a.weight", 1e6, 1.0, 100]]}]
    ),
    "loss-not-finite": lambda: healthy(not_finite={"value": "nan", "update": 7, "where": ["/train.py", 8, "main"]}),
    "dead-units": lambda: healthy(values={"denormal": [0, 1], "padding": [], "rectified": [[[32, 64], 0.9, 0.8]]}),
    "saturated-units": lambda: healthy(values={**VALUES, "squashed": [SIGMOID]}),
    "sparse-input": lambda: healthy(ops=(F32,), values={**VALUES, "zeros": [{"shape": [512, 512], "part": 0.99}]}),
    "dropout-cost": lambda: healthy(ops=(MM, DROPPED)),
    "stopped-improving": lambda: healthy(losses={"seen": curve(0.3)}),
    "mode-collapse": lambda: collapse(0.9, 0.1),
    "run-eagerly": lambda: keras(
        trainer={**TRAINER, "run_eagerly": True}, ops=SMALL_OPS[:50], states={"forward": 4.0, "optimizer": 4.0}
    ),
    "retracing": lambda: keras(traced={"functions": [["step", 40, ["/train.py", 9, "step"]]]}),
    "tf-data-no-prefetch": lambda: pipeline("BatchDataset", "ParallelMapDataset", "CacheDataset"),
    "tf-data-serial-map": lambda: pipeline("PrefetchDataset", "MapDataset", "CacheDataset"),
    "tf-data-no-cache": lambda: pipeline("PrefetchDataset", "ParallelMapDataset"),
    "generator-input": lambda: keras(states=BUSY, data={**DATA, "adapter": "GeneratorDataAdapter"}, pipeline=[]),
    "blocking-callback": lambda: keras(
        states={"graph": 8.0, "callback": 2.0},
        callbacks={"seen": [["Slow", "on_train_batch_end", 80, 40, ["/train.py", 3, "on_train_batch_end"]]]},
    ),
    "tiny-batch": lambda: keras(states={"graph": 2.0, "trainer": 8.0}),
    "short-epochs": lambda: keras(states={"graph": 2.0, "iter": 8.0}, data={**DATA, "batches": 1}),
    "seed-not-reproducible": lambda: keras(seeds={"seeded": {"tf.random.set_seed": ["/train.py", 4, "main"]}}),
    "slow-rank": lambda: healthy(others=(process(boundaries(forward=5.0, wait=4.1)),)),
    "ranks-in-turn": lambda: healthy(boundaries=turns(0), others=(process(turns(1)),)),
    **ranks.PLANTED,
}  # fmt: skip


def test_a_healthy_job_has_no_finding() -> None:
    assert ids(healthy()) == set()


def test_a_healthy_inference_has_no_finding() -> None:
    assert ids(inference()) == set()


def test_a_healthy_job_of_keras_has_no_finding() -> None:
    assert ids(keras()) == set()
    seeded = {"tf.random.set_seed": ["/train.py", 4, "main"], "keras.utils.set_random_seed": ["/train.py", 5, "main"]}
    assert ids(keras(seeds={"seeded": seeded})) == set()


def test_a_pipeline_that_nobody_waits_for_may_be_as_it_is() -> None:
    stages = [["MapDataset", None]]
    assert ids(keras(pipeline={**PIPELINE, "stages": stages})) == set()


def test_a_prefetch_that_tensorflow_puts_there_by_itself_is_one() -> None:
    stages, ran = [["ParallelMapDataset", -1], ["CacheDataset", None]], [["Iterator::Root::Prefetch", 4, 10, 1]]
    view = keras(
        states=BUSY, pipeline={**PIPELINE, "stages": stages}, graphs={"boundaries": 2, "stages": ran, "input_ns": 0}
    )
    assert "tf-data-no-prefetch" not in ids(view)


def test_what_is_said_to_a_job_of_keras_is_of_keras() -> None:
    found = {f.id: f for f in findings(keras(ops=(F32, *SMALL_OPS), states={"graph": 9.0, "forward": 4.0}))}
    assert "jit_compile" in found["many-small-ops"].advice
    assert "mixed_bfloat16" in found["full-precision"].advice


def test_ops_that_are_held_up_are_not_many_small_ones() -> None:
    """Half a millisecond each, of a step whose threads wait for cores."""
    assert "many-small-ops" not in ids(healthy(ops=SMALL_OPS[:25], states={"forward": 12.0}))


def test_a_loss_that_falls_to_the_end_or_never_fell_has_not_stopped() -> None:
    assert "stopped-improving" not in ids(healthy(losses={"seen": curve(1.0)}))
    assert "stopped-improving" not in ids(healthy(losses={"seen": curve(0.7)}))
    assert "stopped-improving" not in ids(
        healthy(losses={"seen": [[16.0 * i, 1.0 + 0.1 * (-1) ** i] for i in range(320)]})
    )
    assert "stopped-improving" not in ids(healthy(losses={"seen": curve(0.3)[:40]}))
    assert "stopped-improving" not in ids(healthy(losses={"seen": curve(0.3)}, optimizer=[OPTIMIZER, OPTIMIZER]))


def test_the_answer_of_a_model_may_be_at_its_ends() -> None:
    assert "saturated-units" not in ids(healthy(values={**VALUES, "squashed": [{**SIGMOID, "inner": False}]}))
    assert "saturated-units" not in ids(healthy(values={**VALUES, "squashed": [{**SIGMOID, "part": 0.2}]}))


def collapse(*spreads: float, optimizers: int = 2, looks: int = 2) -> View:
    seen = {**VALUES, "variety": variety(*spreads)}
    return healthy(optimizer=[OPTIMIZER] * optimizers, values=[VALUES, seen][-looks:])


def test_what_is_made_may_vary_a_little_less_or_be_young_and_one_optimizer_plays_against_nobody() -> None:
    assert "mode-collapse" in ids(collapse(0.9, 0.1))
    assert "mode-collapse" not in ids(collapse(0.9, 0.5))
    assert "mode-collapse" not in ids(collapse(0.1))
    assert "mode-collapse" not in ids(collapse(0.9, 0.1, optimizers=1))
    assert "mode-collapse" not in ids(collapse(0.9, 0.1, looks=1))


def test_of_two_optimizers_each_has_its_own_gradients() -> None:
    tiny = [["z.weight", 1e-9, 1.0, 100], *LAYERS]
    fine = [{"update": i, "who": 0, **LOOK} for i in (0, 2, 10)]
    assert "vanishing-gradients" in ids(healthy(gradients=[*fine, {"update": 1, "who": 1, **LOOK, "layers": tiny}]))
    loud = [["a.weight", 1e6, 1.0, 100]]
    other = [{"update": i, "who": 1, **LOOK, "layers": loud} for i in (1, 5)]
    assert not ids(healthy(gradients=[*fine, *other])), "large from the start is not growth"


def test_half_of_the_input_may_be_zeros() -> None:
    assert "sparse-input" not in ids(
        healthy(ops=(F32,), values={**VALUES, "zeros": [{"shape": [512, 512], "part": 0.6}]})
    )


def test_the_gradient_of_a_bag_that_is_sparse_is_not_called_dense() -> None:
    def bag(sparse: bool) -> Any:
        ids_ = tensor(6, dtype="int64")
        given = (tensor(2, 64), ids_, ids_, ids_, ids_, tensor(0, dtype="int64"), 100_000, False, 0, sparse, None)
        return op("_embedding_bag_backward", *given, out=tensor(100_000, 64), state="backward", ms=3.0)

    assert "dense-embedding-gradient" in ids(healthy(ops=(MM, bag(False))))
    assert "dense-embedding-gradient" not in ids(healthy(ops=(MM, bag(True))))


def test_a_policy_that_is_asked_again_and_again_is_no_loop_over_time() -> None:
    gate = op("tanh", tensor(8, 64), out=tensor(8, 64), ms=2.0, count=64)
    product = op("mm", tensor(8, 64), tensor(64, 64), out=tensor(8, 64), ms=2.0, count=64)
    once = boundaries(forward=40.0, backward=4.0)
    rollout = tuple(dataclasses.replace(b, forwards=32) for b in once)
    assert "time-loop" in ids(healthy(ops=(gate, product), boundaries=once))
    assert "time-loop" not in ids(healthy(ops=(gate, product), boundaries=rollout))


def test_waiting_for_a_core_is_no_waiting_for_data() -> None:
    view = PLANTED["batch-waits"]()
    values = {field: getattr(view, field) for field in view.__dataclass_fields__}
    assert "batch-waits" not in ids(View(**{**values, "held_back": {view.process.pid: 1.7e-6}}))


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_planted_inefficiency_is_found(name: str) -> None:
    view = PLANTED[name]()
    found = {finding.id: finding for finding in findings(view)}
    assert name in found, f"found only {sorted(found)}"
    assert 0 <= found[name].seconds <= 1.0001 * view.step


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_no_finding_speaks_with_gaps_in_its_sentences_in_either_language(name: str) -> None:
    for lang in ("en", "zh"):
        base = PLANTED[name]()
        values = {field: getattr(base, field) for field in base.__dataclass_fields__}
        for finding in findings(View(**{**values, "lang": lang})):
            assert finding.evidence
            assert finding.advice
            assert "{" not in finding.title + finding.advice


def test_a_step_at_longer_lengths() -> None:
    """4 of 9.1 ms grow with the square, and the rest evenly: 2 x 5.1 + 4 x 4 and 4 x 5.1 + 16 x 4 ms."""
    (found,) = (each for each in findings(healthy(ops=(ATTENTION,))) if each.id == "long-attention")
    assert found.basis == "modelled"
    assert "the power of 1.44 here: 26 ms at twice the length, 84 ms at four times" in found.evidence


def test_every_finding_has_its_test() -> None:
    modules = [m.name for m in pkgutil.iter_modules(package.__path__)]
    named = {m.replace("_", "-") for m in modules if hasattr(importlib.import_module(f"narrows.findings.{m}"), "find")}
    assert named == set(PLANTED)


def test_ranks_that_do_the_same_are_neither_slow_nor_slow_in_turn() -> None:
    same = healthy(others=(process(boundaries(next=0.1, forward=4.0, backward=4.0, optimizer=1.0)),))
    assert not {"slow-rank", "ranks-in-turn"} & ids(same)
    assert "slow-rank" not in ids(PLANTED["ranks-in-turn"]())
    assert "ranks-in-turn" not in ids(PLANTED["slow-rank"]())


def test_what_a_slow_rank_costs_is_said_with_the_row_that_it_is_in() -> None:
    slow = {"next": 0.1, "forward": 4.0, "backward": 4.0, "optimizer": 1.0, "tail": 5.0}
    other = process(boundaries(next=0.1, forward=4.0, backward=4.0, optimizer=1.0, wait=5.0))
    view = healthy(states=slow, lines=(line(31, 5.0),), others=(other,))
    found = next(finding for finding in findings(view) if finding.id == "slow-rank")
    assert (round(found.seconds, 6), found.where) == (0.005, "train.py:31")
    assert "in the loop after the update" in found.evidence
    assert found.cause == next(e.cause for e in view.entries if e.state == "tail")
