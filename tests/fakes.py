"""Fakes: a spool without a job, a machine without hardware. Times are exact, so ledgers are tested exactly."""

from typing import Any

from narrows.findings.view import View
from narrows.ledger.account import account
from narrows.ledger.ranks import together
from narrows.report.model import Ceilings
from narrows.spool.record import STATES, UPDATE, Boundary, Line, Op, Process, Tensor, Window

CEILINGS = Ceilings(
    flops={"float64": 1e11, "float32": 2e11, "bfloat16": 4e11, "float16": 2e9},
    convolution={"float32": 2e11},
    bandwidth=2e10,
    bandwidth_by_size=[(1 << 15, 1e11), (1 << 25, 1e11), (1 << 29, 2e10)],
    read_bandwidth=2e10,
    dispatch_seconds=2e-6,
    page_touch_seconds=5e-7,
    page_release_seconds=1e-7,
    host_to_device=None,
    device_to_host=None,
    disk_read=1e9,
    collective=None,
)
MS = 1_000_000


def ns(**states: float) -> tuple[int, ...]:
    """Nanoseconds by state, from milliseconds by name."""
    return tuple(int(states.get(name, 0.0) * MS) for name in STATES)


def boundary(end_ms: float = 0.0, *, kind: int = UPDATE, who: int = 0, **states: float) -> Boundary:
    return Boundary(
        end_ns=int(end_ms * MS), kind=kind, who=who, disturbed=False, light=False, gradients=kind == UPDATE, training=kind == UPDATE,
        samples=32, forwards=1, backwards=1, batches=1, ns=ns(**states),
    )  # fmt: skip


def boundaries(count: int = 40, *, kind: int = UPDATE, **states: float) -> tuple[Boundary, ...]:
    length = sum(states.values())
    return tuple(boundary((i + 1) * length, kind=kind, **states) for i in range(count))


def tensor(*shape: int, dtype: str = "float32", layout: str = "c") -> Tensor:
    return Tensor(shape=shape, dtype=dtype, layout=layout)


def op(name: str, *arguments: Any, out: Any = (), state: str = "forward", ms: float = 1.0, count: int = 1,
       where: tuple[str, int] | None = None) -> Op:  # fmt: skip
    outputs = out if isinstance(out, tuple) else (out,)
    spent = int(ms * MS)
    return Op(
        name=name, overload="default", arguments=arguments, outputs=outputs, state=state, where=where, count=count,
        ns=spent, fastest_ns=spent // count, raw=(f"aten.{name}.default", [repr(a) for a in arguments], [], 0),
    )  # fmt: skip


def line(number: int, ms: float, *, state: str = "tail", role: str = "loop", file: str = "train.py") -> Line:
    return Line(file=file, function="main", first_line=1, line=number, state=state, hits=1, ns=int(ms * MS), role=role)


def window(kind: str, *, ops: tuple[Op, ...] = (), lines: tuple[Line, ...] = (), steps: int = 1) -> Window:
    return Window(kind=kind, end_ns=0, steps=steps, ns_by_state=ns(), ops=ops, lines=lines)


def process(marks: tuple[Boundary, ...], *windows: Window, **events: Any) -> Process:
    kept = {kind: tuple(value if isinstance(value, list) else [value]) for kind, value in events.items()}
    kept.setdefault("torch", ({"t": 0, "version": "2.13.0", "threads": 2, "cuda": False},))
    return Process(pid=1, parent=0, rank=0, ranks=1, start_ns=0, boundaries=marks, windows=windows, events=kept)


def view(job: Process, *, fixed: float = 5e-6, cores: int = 2, workers: tuple[Process, ...] = (),
         others: tuple[Process, ...] = (), lang: str = "en") -> View:  # fmt: skip
    mine = account(job, lambda _: fixed, CEILINGS)
    assert mine.steady is not None
    return View(
        process=job, workers=workers, others=others, steps=mine.steps, steady=mine.steady, kernels=mine.kernels,
        gaps=mine.gaps, entries=mine.entries, ceilings=CEILINGS, cores=cores, cwd="/", lang=lang,
        together=together([job, *others]),
    )  # fmt: skip
