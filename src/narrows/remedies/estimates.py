"""What several remedies ask of a view: pure functions over the ledger, called in narrows and never in the job."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.report.model import Cause
    from narrows.spool.record import Process

MODEL = ("forward", "backward", "evaluate")
PRODUCTS = ("matmul", "convolution", "attention", "rnn")
"""Kinds of ops whose arithmetic has a faster form in fewer bits."""
FLASH = "_scaled_dot_product_flash_attention_for_cpu"
"""Attention on a CPU, forward; backward it has this name and more."""
PASSING = 0.5
"""Share of the peak that is neither weights, gradients nor optimizer state, from which activations are worth it."""
WORTH = 0.02
"""Share of the step under which a saving is not worth a trial."""
CHANGING = 0.3
"""Shapes change if more than this share of the ops' time is in calls that not every step makes."""


def passing(view: View) -> bool:
    """Much of the peak is there for a step only."""
    memory = view.process.last("memory")
    peak = memory.get("device_peak") or memory.get("rss_peak") or 0
    held = sum(memory.get(part) or 0 for part in ("parameters", "gradients", "optimizer"))
    return bool(peak) and peak - held >= PASSING * peak


def infers(view: View) -> bool:
    late = view.steps.timed(view.steady.first)
    return view.steps.type == "inference" and not any(step.backwards for step in late)


def only_answers(process: Process) -> bool:
    """Nothing was seen to learn in it, not even after a first check of its model."""
    return not process.events.get("optimizer") and not any(each.backwards for each in process.boundaries)


def trains(view: View) -> bool:
    return view.steps.type == "training"


def normalises_batches(view: View) -> bool:
    """A sample's result depends on the others of its batch, and averages of them are kept."""
    return any("batch_norm" in kernel.name for kernel in view.kernels)


def updated_by(process: Process, classes: tuple[str, ...]) -> bool:
    """One of its optimizers is of these classes."""
    return any(made["class"] in classes for made in process.events.get("optimizer", ()))


def spent(view: View, *causes: Cause, states: tuple[str, ...] = MODEL) -> float:
    """Seconds of a step with those causes, in those states."""
    return sum(e.seconds for e in view.entries if e.cause in causes and e.state in states)


def models(view: View) -> list[Any]:
    return list(view.process.events.get("model", ()))


def all_in(view: View, dtype: str) -> bool:
    """All parameters of the job's models are in that dtype."""
    found = [name for model in models(view) for name in model.get("dtypes", {})]
    return bool(found) and set(found) == {dtype}


def compiled(view: View) -> bool:
    return any(m.get("compiled") for m in models(view)) or bool(view.process.first("compile"))


def times_faster(view: View, dtype: str, than: str = "float32", kind: str = "matmul") -> float:
    """How much faster this machine does products in that dtype; 1 where it was not measured."""
    rates = view.ceilings.flops
    if kind == "convolution" and {dtype, than} <= set(view.ceilings.convolution):
        rates = view.ceilings.convolution
    return rates[dtype] / rates[than] if rates.get(dtype) and rates.get(than) else 1.0


def fewer_bits(view: View, dtype: str, *, kinds: tuple[str, ...] = PRODUCTS, casts: bool = False) -> float:
    """Seconds of a step that float32 products would save in that dtype.

    Those bound by arithmetic gain the ratio of the ceilings. With `casts`, tensors are cast on the way into each
    product: once read in full and written in half. Without, they are stored in half, and what is bound by memory
    takes half of its time.
    """
    from narrows.ledger.kernels import bandwidth_at

    saved = 0.0
    for kernel in view.kernels:
        if kernel.state not in MODEL or kernel.dtype != "float32":
            continue
        if kernel.cost.kind in kinds and kernel.bound == "compute":
            saved += kernel.seconds * (1 - 1 / times_faster(view, dtype, kind=kernel.cost.kind))
            if casts and kernel.calls:
                moved = 1.5 * kernel.bytes
                saved -= moved / bandwidth_at(moved / kernel.calls, view.ceilings)
                saved -= 2 * kernel.calls * view.ceilings.dispatch_seconds
        elif kernel.bound == "bandwidth" and not casts:
            saved += kernel.seconds / 2
    return saved


def shapes_change(view: View) -> bool:
    """Ops are called with other shapes from step to step: batches of other lengths, mostly."""
    windows = [w for w in view.process.windows if w.kind == "ops" and w.steps]
    if not windows:
        return False
    everywhere = set.intersection(*({_call(op) for op in w.ops} for w in windows))
    inside = [(w, op) for w in windows for op in w.ops if op.state in MODEL]
    total = sum(op.ns for _, op in inside)
    rare = sum(op.ns for w, op in inside if _call(op) not in everywhere or op.count < w.steps)
    return total > 0 and rare / total > CHANGING


def _call(op: Any) -> tuple[str, ...]:
    return op.name, op.overload, op.state, str(op.arguments)


def installed(view: View, *names: str) -> bool:
    """The job's interpreter could import these."""
    executable = view.process.first("start").get("executable") or sys.executable
    if Path(executable) == Path(sys.executable):
        return all(find_spec(name) is not None for name in names)
    folders = list(Path(executable).parent.parent.glob("lib/python*/site-packages"))
    return all(any((folder / name).is_dir() for folder in folders) for name in names)


def parallel(view: View) -> Mapping[str, Any]:
    """How the job's DistributedDataParallel was made; empty if it has none, or several."""
    found = view.process.events.get("parallel", ())
    return found[0] if len(found) == 1 and trains(view) else {}


def exchange(view: View) -> float:
    """Seconds of a step that the exchange of gradients costs: waited for, or taken from the cores that compute."""
    states = ("backward", "wait", "contention")
    return sum(e.seconds for e in view.entries if e.cause == "communication" and e.state in states)


def exchanged(view: View) -> float:
    """Bytes of gradients that a rank exchanges in a step, in its backwards."""
    from narrows.findings.exchange import gradients, total

    return total(gradients(view))


def ranks(view: View) -> int:
    return max(view.process.ranks, 1 + len(view.others))


def local_ranks(view: View) -> int:
    """Those that share this machine's cores."""
    return int(view.process.first("start").get("local_ranks") or ranks(view))
