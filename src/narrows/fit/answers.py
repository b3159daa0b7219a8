"""From the runs to the report's capacity. Pure but for the source files that leaks are looked up in."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from narrows.fit.cheapest import Way
from narrows.fit.limit import Limit
from narrows.fit.running import Measure
from narrows.fit.scaling import Tried, scaling
from narrows.fit.ways import Taken, Tools, ways
from narrows.fit.wish import Wish
from narrows.job.facts import Facts
from narrows.memory import cache as caches
from narrows.memory import ledger as ledgers
from narrows.memory import optimizers
from narrows.memory.capacity import Frame, frame
from narrows.memory.crash import out_of_memory
from narrows.memory.inside import Ratios, ratios, with_inside
from narrows.memory.leaks import Leak, leaks
from narrows.memory.ledger import Ledger, Rest
from narrows.memory.sharded import STRATEGIES, gathered, needed
from narrows.memory.stream import Stream, ended, representative, settled, trains
from narrows.report.capacity import Cache, Capacity, Held, Leaked, OtherOptimizer, Shard
from narrows.spool.place import near
from narrows.spool.record import Process
from narrows.trials.script import read

OFF = 0.02
"""A trace that lies farther from the real run at the same size is not believed."""
TABLES = 8 / 4096
"""Page tables: an entry for each page of memory. A control group counts them."""
KERNEL = 3 << 19
"""Bytes besides: the upper levels of those, stacks of threads, what a control group is charged ahead for each core (a job that
held 1,495.9 MiB ran in a group of 1,500, and one that held 0.7 more did not)."""
MOST_HELD = 12
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
    ends: int = 0
    """Updates, or calls of a job that does not train: as many as the run and the trace both came to; 0: all."""

    @property
    def device(self) -> int:
        """Bytes of the device that it computes on; 0: it has none."""
        return ledgers.device_bytes(self.process) if self.stream.device else 0

    @property
    def beside(self) -> int:
        """Ranks of the job on this machine, itself included."""
        return int(self.process.first("start").get("local_ranks") or self.process.ranks)


def seen(ran: Process | None, traced: Process | None, alone: Process | None) -> Seen | None:
    """None if neither came to a step. `alone`: the job with nothing followed: its allocator does what it always does."""
    stream = representative(ran) if ran is not None else None
    known = ratios(ran) if ran is not None else {}
    came = min(ended(ran), ended(traced)) if ran is not None and traced is not None else 0
    trace = representative(traced, came) if traced is not None else None
    if trace is not None:
        trace = with_inside(trace, known)
    if ran is None or stream is None:
        if traced is None or trace is None:
            return None
        return Seen(
            process=traced,
            real=False,
            stream=trace,
            traced=trace,
            off=None,
            rest=ledgers.rest(traced, device=trace.device),
            ratios={},
        )
    stream = with_inside(stream, known)
    same = representative(ran, came)
    beside = with_inside(same, known) if same is not None else stream
    off = trace.peak[0] / beside.peak[0] - 1 if trace is not None and beside.peak[0] else None
    good = off is not None and abs(off) <= OFF and settled(ran, came)
    if good and trains(ran):
        stream = beside  # steps differ, and a later one is not to be laid beside traces of the earlier ones
    rest = ledgers.rest(ran, device=stream.device)
    if alone is not None and (peak := ledgers.taken(alone, came, device=stream.device)):
        rest = replace(rest, resident_peak=peak, own=0, start=0 if stream.device else ledgers.started(alone))
    return Seen(process=ran, real=True, stream=stream, traced=trace if good else None, off=off, rest=rest, ratios=known,
                ends=came)  # fmt: skip


def wanted_memory(facts: Facts, processes: Iterable[Process]) -> bool:
    return out_of_memory(facts, list(processes)) is not None


def capacity(
    job: Seen, limit: Limit, batch: Tried | None, sequence: Tried | None, alone: Mapping[Way, Taken], wish: Wish,
    run: Measure, tools: Tools, *, batch_missing: str | None,
) -> Capacity:  # fmt: skip
    """`run`: what the job takes at a batch, measured with nothing followed; None where it cannot be. `alone`: with each
    remedy that found something to change, at the batch that was asked about. `batch_missing`: why nothing is said of others."""
    cache = caches.cache(caches.calls(job.process))
    ledger = ledgers.ledger(job.stream, job.rest, cache.storages if cache is not None else ())
    around = frame(job.stream, job.rest, *_beyond(job, limit))
    now, start = around.counted(ledger.needed), around.counted(0)
    batches = lengths = None
    if batch is not None:
        batches, around = scaling(batch, around, limit, wish.batch, run)
    if sequence is not None:
        lengths, _ = scaling(sequence, around, limit, wish.sequence, lambda size: None)
    asked = next((p.needed_bytes for p in batches.predicted if p.size == wish.batch), now) if batches else now
    room, together = ways(alone, around, limit, asked, tools)
    return Capacity(
        limit_bytes=limit.bytes,
        limit_kind=limit.kind,
        limit_ranks=limit.ranks,
        peak_bytes=ledger.peak,
        needed_bytes=now,
        start_bytes=start if start == now else 0,
        fits=now <= limit.bytes,
        basis="measured" if job.real else "modelled",
        parts=[Held(name=name, bytes=size) for name, size in ledger.parts.items() if size],
        curve=_curve(job.stream),
        activations=_held(ledger.activations),
        temporaries=_held(ledger.temporaries),
        models=[Held(name=_model(job.process, who), bytes=size) for who, size in sorted(ledger.models.items())],
        traced=job.traced is not None,
        traced_off=job.off,
        batch=batches,
        batch_missing=batch_missing,
        sequence=lengths,
        cache=_cache(cache, job, ledger, around, limit) if cache is not None else None,
        ways=room,
        together=together,
        optimizers=_optimizers(ledger, job, around, limit),
        shards=_shards(ledger, job.process, around, limit, wish.ranks),
        leaks=[_leaked(each) for each in leaks(job.process, lambda path: read(Path(path)))] if job.real else [],
    )


def _beyond(job: Seen, limit: Limit) -> tuple[int, float]:
    """What the limit counts beside memory in use, in bytes, and for each byte of it: addresses that have no memory behind
    them where it is one of addresses; of memory, what the kernel keeps of a process."""
    if limit.kind in ("asked", "machine", "cgroup") and not job.stream.device:
        return KERNEL, TABLES
    ends = [e for e in job.process.events.get("memory_step", ()) if e.get("address_space") and not e["watched"]]
    if limit.kind != "address_space" or not ends:
        return 0, 0.0
    addresses = max(int(e["address_space"]) for e in ends)
    return max(0, addresses - max(int(e["resident_peak"]) - int(e["files"]) for e in ends)), 0.0


def _cache(found: caches.Cache, job: Seen, ledger: Ledger, around: Frame, limit: Limit) -> Cache:
    needed = [around.needed(with_inside(call, job.ratios)) for call in found.calls]
    return Cache(
        bytes=ledger.parts["cache"], bytes_per_call=found.bytes_per_call, calls=len(found.calls),
        largest=caches.largest(needed, found.bytes_per_call, limit.bytes),
    )  # fmt: skip


def _optimizers(ledger: Ledger, job: Seen, around: Frame, limit: Limit) -> list[OtherOptimizer]:
    learned = optimizers.trained(job.process, job.stream)
    if not learned or not ledger.parts["optimizer"] + ledger.parts["gradients"]:
        return []
    needs = {name: around.counted(optimizers.needed(ledger, learned, name)) for name in optimizers.STATES}
    return [OtherOptimizer(name=name, needed_bytes=need, fits=need <= limit.bytes) for name, need in needs.items()]


def _shards(ledger: Ledger, process: Process, around: Frame, limit: Limit, ranks: Iterable[int]) -> list[Shard]:
    """Of a job of one process. What one of several ranks holds has its buckets in it, or is a share already."""
    if process.ranks > 1 or not ledger.parts["gradients"]:
        return []
    whole = gathered(process, ledger)
    found = []
    for strategy in STRATEGIES:
        for count in ranks:
            need = around.counted(needed(ledger, strategy, count, whole))
            found.append(Shard(strategy=strategy, ranks=count, needed_bytes=need, fits=need <= limit.bytes))
    return found


def _curve(stream: Stream) -> list[tuple[float, int]]:
    every = stream.levels[1:]
    width = max(1, len(every) // POINTS)
    return [(i / len(every), max(every[i : i + width])) for i in range(0, len(every), width)]


def _held(found: Iterable[ledgers.Held]) -> list[Held]:
    return [
        Held(name=each.module, bytes=each.bytes, where=near(each.where, os.getcwd()) or None, op=each.op or None)
        for each in list(found)[:MOST_HELD]
    ]


def _model(process: Process, who: int) -> str:
    events = [e for e in process.events.get("model", ()) if e["who"] == who]
    return str(events[0]["inner"]) if events else f"model {who}"


def _leaked(leak: Leak) -> Leaked:
    return Leaked(
        bytes_per_step=leak.bytes_per_step, count_per_step=leak.count_per_step, made_at=near(leak.made_at, os.getcwd()),
        held_by=leak.held_by, held_at=near(leak.held_at or "", os.getcwd()) or None, graph=leak.graph,
    )  # fmt: skip
