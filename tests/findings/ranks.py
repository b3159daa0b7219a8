"""Jobs of several ranks for the tests of findings: a healthy one, and each inefficiency planted in it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from narrows.findings.view import View
from narrows.spool.record import Boundary, Op, Process
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window

MIB = 1 << 20
BACKWARD, METRIC = ("/train.py", 20), ("/train.py", 30)
MM = op("mm", *[tensor(512, 512, dtype="bfloat16")] * 2, out=tensor(512, 512, dtype="bfloat16"), ms=8.0)
PARALLEL = {"find_unused": False, "static_graph": False, "bucket_bytes": 25 * MIB, "bytes": 8 * MIB, "backend": "gloo",
            "group": [0, 1], "device": "cpu", "where": ["/train.py", 6, "main"]}  # fmt: skip
LOADER = {"who": 0, "epoch": 0, "workers": 2, "batch_size": 32, "persistent": True, "batches": 10, "content": 7,
          "sampler": "DistributedSampler", "picked": 320, "rows": 640, "where": ["/train.py", 3, "main"]}  # fmt: skip
REDUCER = {"who": 0, "unused_bytes": 0, "searched_ns": 40_000, "searches": 40}
LOOK = {"layers": [["a.weight", 1.0, 1.0, 100]], "unused": [], "unused_elements": 0}
MODEL = {
    "class": "DistributedDataParallel",
    "data_parallel": False,
    "where": ["/train.py", 5, "main"],
    "bytes": 8 * MIB,
}
OPTIMIZER = {"who": 0, "class": "SGD", "tensors": 3, "gradient_bytes": 8 * MIB, "state_bytes": 0,
             "where": ["/train.py", 9, "main"]}  # fmt: skip


def sync(mib: float, count: int = 1, *, dtype: str = "float32") -> Op:
    """All-reduces of a step's backwards."""
    items = int(mib * MIB) // (4 if dtype == "float32" else 2)
    return op("c10d::allreduce_", (tensor(items, dtype=dtype),), state="backward", ms=0.005 * count, count=count, where=BACKWARD)  # fmt: skip


def called(count: int = 1, numbers: int = 1) -> Op:
    return op("c10d::allreduce_", (tensor(numbers),), state="communication", ms=0.01 * count, count=count, where=METRIC)


READ = op("_local_scalar_dense", tensor(), state="tail", ms=0.01, where=("/train.py", 31))
HALVES = (sync(4, dtype="bfloat16"), sync(4, dtype="bfloat16"))
"""What a healthy job exchanges: two buckets of few bytes."""


def rank(number: int, made: tuple[Boundary, ...], ops: tuple[Op, ...] = (), **events: Any) -> Process:
    told: dict[str, Any] = {
        "parallel": PARALLEL, "loader": LOADER, "model": MODEL, "optimizer": OPTIMIZER, "mode": {"anomaly": False},
        "start": {"host": "one"}, "group": {"rank": number, "ranks": 2, "backend": "gloo"},
        "gradients": [{"update": i, **LOOK} for i in range(3)], "reducer": [{"update": i, **REDUCER} for i in range(3)],
        "inputs": [{"seen": [[[32, 8], 10 * number + i]]} for i in range(4)],
        "torch": {"version": "2", "threads": 1, "cuda": False}, **events,
    }  # fmt: skip
    return replace(process(made, window("ops", ops=ops), **told), rank=number, ranks=2)


def job(*, ops: tuple[Op, ...] = HALVES, states: dict[str, float] | None = None, other: dict[str, Any] | None = None,
        made: tuple[tuple[Boundary, ...], tuple[Boundary, ...]] | None = None, cores: int = 2, **events: Any) -> View:  # fmt: skip
    """Two ranks. `states` are those of both in each step, `other` are events that only the second rank has otherwise."""
    steps = boundaries(**(states or {"next": 0.1, "forward": 8.0, "backward": 8.0, "optimizer": 1.0, "wait": 0.2}))
    mine, theirs = made or (steps, steps)
    second = rank(1, theirs, **{**events, **(other or {})})
    return fakes.view(rank(0, mine, (MM, *ops), **events), cores=cores, others=(second,))


def exchanges(*rows: tuple[str, int, float, float]) -> dict[str, Any]:
    """(collective, line, calls in 100 steps, microseconds of each)"""
    return {
        "seen": [
            [name, "/train.py", line, 100 * calls, int(1e5 * calls * us), int(1e3 * us), int(1e5 * (calls - 1) * us)]
            for name, line, calls, us in rows
        ]
    }


WAITS = {"forward": 4.0, "backward": 4.0, "optimizer": 1.0, "wait": 4.0}
MEETS = {"forward": 8.0, "backward": 8.0, "optimizer": 1.0, "communication": 3.0}


def accumulating(ops: tuple[Op, ...], backwards: int = 4) -> View:
    made = tuple(replace(b, backwards=backwards, forwards=backwards) for b in boundaries(**WAITS))
    return job(ops=ops, made=(made, made))


def uneven(mine: int = 48, theirs: int = 16, *, more: float = 4.0) -> View:
    """The first rank has more numbers in each call, and computes longer; the second waits for it."""
    long = boundaries(forward=4.0 + more / 2, backward=4.0 + more / 2)
    short = boundaries(forward=4.0, backward=4.0, wait=more)
    given = [{"numbers": [mine] * 16}, {"numbers": [theirs] * 16}]
    return job(made=(long, short), ops=(), given=given[0], other={"given": given[1]})


def in_turns() -> View:
    """In each step another rank has the longer sentences."""
    step = {"long": {"forward": 6.0, "backward": 6.0}, "short": {"forward": 4.0, "backward": 4.0, "wait": 4.0}}
    rows = [tuple(fakes.boundary(12.0 * (i + 1), **step["long" if i % 2 == first else "short"]) for i in range(40)) for first in (0, 1)]  # fmt: skip
    given = [{"numbers": [48 if i % 2 == first else 16 for i in range(16)]} for first in (0, 1)]
    return job(made=(rows[0], rows[1]), ops=(), given=given[0], other={"given": given[1]})


def in_small_buckets(**changes: Any) -> View:
    """128 all-reduces for 2 MiB of gradients."""
    return job(
        ops=(sync(1 / 64, 128),), parallel={**PARALLEL, "bytes": 2 * MIB}, states={**WAITS, "wait": 16.0, **changes}
    )


ALIKE = [{"seen": [[[32, 8], i]]} for i in range(4)]
UNSHARED = {**LOADER, "sampler": "RandomSampler", "picked": 320, "rows": 320}
CUDA = {"version": "2", "threads": 1, "cuda": True, "devices": ["H100", "H100"]}
ELSEWHERE = {"start": {"host": "two"}}
SEARCHING = {**PARALLEL, "find_unused": True}

PLANTED: dict[str, Callable[[], View]] = {
    "data-imbalance": uneven,
    "data-parallel": lambda: fakes.view(
        process(boundaries(forward=8.0), window("ops", ops=(MM,)), model={**MODEL, "data_parallel": True, "devices": 4})
    ),
    "find-unused-parameters": lambda: job(parallel=SEARCHING),
    "sync-every-micro-batch": lambda: accumulating((sync(2, 16),)),
    "bucket-size": lambda: in_small_buckets(),
    "gradients-full-precision": lambda: job(ops=(sync(8),), states=WAITS, other=ELSEWHERE),
    "collective-in-loop": lambda: job(
        ops=(called(30),), states=MEETS, exchanges=exchanges(("all_reduce", 30, 30, 100))
    ),
    "blocking-metric-reduction": lambda: job(
        ops=(*HALVES, called(), READ), states=MEETS, exchanges=exchanges(("all_reduce", 30, 1, 3000))
    ),
    "same-data": lambda: job(inputs=ALIKE),
    "slow-backend": lambda: job(torch=CUDA, parallel={**PARALLEL, "device": "cuda"}),
}
