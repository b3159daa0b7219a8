"""From the runs to the report's capacity. Pure but for the source files that leaks are looked up in."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from narrows import remedies
from narrows.fit.batch import Batch
from narrows.fit.limit import Limit
from narrows.fit.wish import Wish
from narrows.job.facts import Facts
from narrows.memory import ledger as ledgers
from narrows.memory.capacity import Frame, frame, largest
from narrows.memory.crash import out_of_memory
from narrows.memory.inside import Ratios, ratios, with_inside
from narrows.memory.leaks import Leak, leaks
from narrows.memory.ledger import Ledger, Rest
from narrows.memory.predict import Model, Unlike, model
from narrows.memory.sharded import STRATEGIES, needed
from narrows.memory.stream import PARAMETER, Stream, representative
from narrows.report.model import Capacity, Held, Leaked, Predicted, Scaling, Shard, Way
from narrows.spool.record import Process
from narrows.trials.script import read

OFF = 0.02
"""A trace that lies farther from the real run at the same size is not believed."""
MOST_HELD = 12
RUNS, CLOSE = 6, 1.05
"""Runs at the largest batch, at most, each with what was learned from the one before; until one that fits and one that does
not are so near."""
Measure = Callable[[int], int | None]
Ways = Mapping[tuple[str, bool | int], Stream | int]
"""By remedy and setting: the step with it, or the bytes that the process took."""
POINTS = 200
"""Of the curve."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The job as it is."""

    process: Process
    real: bool
    """It was run; else it was only traced."""
    stream: Stream
    traced: Stream | None
    """The trace of the same step, if it is to be believed."""
    off: float | None
    """How far the trace lies from the run."""
    rest: Rest
    ratios: Ratios


def seen(ran: Process | None, traced: Process | None, alone: Process | None) -> Seen | None:
    """None if neither came to a step. `alone`: the job with nothing followed: its allocator does what it always does."""
    stream = representative(ran) if ran is not None else None
    known = ratios(ran) if ran is not None else {}
    trace = representative(traced) if traced is not None else None
    if trace is not None:
        trace = with_inside(trace, known)
    if ran is None or stream is None:
        if traced is None or trace is None:
            return None
        return Seen(
            process=traced, real=False, stream=trace, traced=trace, off=None, rest=ledgers.rest(traced), ratios={}
        )
    stream = with_inside(stream, known)
    off = trace.peak[0] / stream.peak[0] - 1 if trace is not None and stream.peak[0] else None
    good = off is not None and abs(off) <= OFF
    rest, peak = ledgers.rest(ran), ledgers.taken(alone) if alone is not None else 0
    if peak:
        rest = replace(rest, resident_peak=peak, own=0)
    return Seen(process=ran, real=True, stream=stream, traced=trace if good else None, off=off, rest=rest, ratios=known)


def wanted_memory(facts: Facts, processes: Iterable[Process]) -> bool:
    return out_of_memory(facts, list(processes)) is not None


def samples(process: Process) -> int:
    """The leading dimension of the model's input; 0 if it was not seen."""
    ends = [*process.events.get("memory_step", ()), *process.events.get("plain_step", ())]
    found = [e["samples"] for e in ends if e["samples"]]
    calls = [b.forwards for b in process.boundaries if b.samples]
    return found[-1] // max(1, calls[-1] if calls else 1) if found else 0


def scaled(job: Seen, other: Process, times: float) -> bool:
    """Whether the batch that the model was given went with what was asked for."""
    before, after = samples(job.process), samples(other)
    return before > 0 and abs(after / before / times - 1) < 0.25


def points(batch: Batch) -> set[int]:
    """Batches to run at: three tell what grows with the square from what grows evenly."""
    now, most = batch.now, batch.dataset or 1 << 30
    found = {now, max(1, now // 2), 2 * now if 2 * now <= most else max(1, now // 4)}
    while len(found) < 3 and max(found) < most:
        found.add(max(found) + 1)
    return found


def missing(name: str) -> str:
    if name:
        return f"there is no {name} with a number: neither as an option of the command nor as a name in the script"
    return (
        "the batch was not found: no DataLoader has a batch_size, no option and no name in the script looks like one "
        "and has the leading dimension of the model's input; --batch-from NAME tells which it is"
    )


def capacity(
    job: Seen, limit: Limit, batch: Batch | None, sizes: Mapping[int, Stream],
    ways: Ways, wish: Wish, run: Measure,
) -> Capacity:  # fmt: skip
    """`run`: what the job takes at a batch, measured with nothing followed; None where it cannot be."""
    ledger = ledgers.ledger(job.stream, job.rest)
    beyond = _beyond(job.process, limit)
    around = frame(job.stream, job.rest, beyond)
    now = ledger.needed + beyond
    scaling = None
    if batch is not None:
        scaling, around = _scaling(batch, sizes, around, limit, wish.batch, run)
    return Capacity(
        limit_bytes=limit.bytes,
        limit_kind=limit.kind,
        peak_bytes=ledger.peak,
        needed_bytes=now,
        fits=now <= limit.bytes,
        basis="measured" if job.real else "modelled",
        parts=[Held(name=name, bytes=size) for name, size in ledger.parts.items() if size],
        curve=_curve(job.stream),
        activations=_held(ledger.activations),
        temporaries=_held(ledger.temporaries),
        models=[Held(name=_model(job.process, who), bytes=size) for who, size in sorted(ledger.models.items())],
        traced=job.traced is not None,
        traced_off=job.off,
        batch=scaling,
        batch_missing=missing(wish.batch_from) if batch is None else None,
        ways=_ways(ways, around, limit, now),
        shards=_shards(ledger, job.stream, beyond, limit, wish.ranks),
        leaks=[_leaked(each) for each in leaks(job.process, lambda path: read(Path(path)))] if job.real else [],
    )


def _beyond(process: Process, limit: Limit) -> int:
    """Addresses that have no memory behind them count where the limit is one of addresses."""
    ends = [e for e in process.events.get("memory_step", ()) if e.get("address_space") and not e["watched"]]
    if limit.kind != "address_space" or not ends:
        return 0
    addresses = max(int(e["address_space"]) for e in ends)
    return max(0, addresses - max(int(e["resident_peak"]) - int(e["files"]) for e in ends))


def _scaling(
    batch: Batch, sizes: Mapping[int, Stream], around: Frame, limit: Limit, wanted: int, run: Measure
) -> tuple[Scaling, Frame]:
    """And the frame, corrected by what was measured at the largest batches."""
    made, most = _model_of(sizes), None
    measured: dict[int, int] = {}
    if made is None:
        return Scaling(name=batch.name, now=batch.now, dataset=batch.dataset, largest=None, predicted=[]), around
    step = cache(made.at)
    least_unfit = batch.dataset + 1 if batch.dataset is not None else 1 << 30
    for _ in range(RUNS):
        low = max((size for size, taken in measured.items() if taken <= limit.bytes), default=0)
        high = min((size for size, taken in measured.items() if taken > limit.bytes), default=least_unfit)
        most = largest(lambda size, by=around: by.needed(step(size)), limit.bytes)  # type: ignore[misc]
        if most is None or (measured and high <= max(low + 1, CLOSE * low)):
            break
        if measured and not low < most < high:
            most = (low + high) // 2 if high < least_unfit else min(2 * low, least_unfit - 1)
        taken = run(most) if most not in measured and 0 < most < least_unfit else None
        if taken is None:
            break
        measured[most] = taken + around.beyond
        around = around.corrected(step(most), measured[most])
    if measured:
        most = max((size for size, taken in measured.items() if taken <= limit.bytes), default=None)
    shown = []
    for size in sorted({*sizes, *measured, *([wanted] if wanted else ()), *([most] if most else ())}):
        need = measured.get(size) or around.needed(step(size))
        shown.append(
            Predicted(size=size, peak_bytes=need + around.files, needed_bytes=need, fits=need <= limit.bytes,
                      basis="measured" if size in measured else "modelled")
        )  # fmt: skip
    return Scaling(name=batch.name, now=batch.now, dataset=batch.dataset, largest=most, predicted=shown), around


def _model_of(sizes: Mapping[int, Stream]) -> Model | None:
    """Of as many sizes as do the same; None if not even two do."""
    order = sorted(sizes)
    for chosen in (order, order[1:], order[:-1]):
        try:
            if len(chosen) > 1:
                return model({size: sizes[size] for size in chosen})
        except Unlike:
            continue
    return None


def _ways(ways: Ways, around: Frame, limit: Limit, now: int) -> list[Way]:
    found = []
    for (name, value), seen in ways.items():
        module = remedies.load(name)
        need = seen + around.beyond if isinstance(seen, int) else around.needed(seen)
        if need >= now:
            continue
        found.append(Way(remedy=name, value=value, kind=module.CLASS, title=module.TEXT["en"][0], needed_bytes=need,
                         fits=need <= limit.bytes, largest=None, seconds=None, by_hand=module.by_hand(value)))  # fmt: skip
    return sorted(found, key=lambda way: way.needed_bytes)


def _shards(ledger: Ledger, stream: Stream, beyond: int, limit: Limit, ranks: Iterable[int]) -> list[Shard]:
    if not ledger.parts["gradients"]:
        return []
    unit = max((s.bytes for s in stream.storages.values() if s.kind == PARAMETER), default=0)
    found = []
    for strategy in STRATEGIES:
        for count in ranks:
            need = needed(ledger, strategy, count, unit) + beyond
            found.append(Shard(strategy=strategy, ranks=count, needed_bytes=need, fits=need <= limit.bytes))
    return found


def _curve(stream: Stream) -> list[tuple[float, int]]:
    every = stream.levels[1:]
    width = max(1, len(every) // POINTS)
    return [(i / len(every), max(every[i : i + width])) for i in range(0, len(every), width)]


def _held(found: Iterable[ledgers.Held]) -> list[Held]:
    return [
        Held(name=each.module, bytes=each.bytes, where=_short(each.where), op=each.op or None)
        for each in list(found)[:MOST_HELD]
    ]


def _short(where: str) -> str | None:
    """From the working directory, as the report's other places."""
    path, _, line = where.rpartition(":")
    if not path:
        return None
    inside = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    return f"{inside}:{line}"


def _model(process: Process, who: int) -> str:
    events = [e for e in process.events.get("model", ()) if e["who"] == who]
    return str(events[0]["inner"]) if events else f"model {who}"


def _leaked(leak: Leak) -> Leaked:
    return Leaked(
        bytes_per_step=leak.bytes_per_step, count_per_step=leak.count_per_step, made_at=_short(leak.made_at) or "",
        held_by=leak.held_by, held_at=_short(leak.held_at or ""), graph=leak.graph,
    )  # fmt: skip
