"""`narrows fit`: one real memory run, traces at other sizes, and what they answer."""

import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec

from narrows.fit import answers, scaling, sizes
from narrows.fit.limit import limit
from narrows.fit.sizes import Changed, Size
from narrows.fit.traces import Traces
from narrows.fit.wish import Wish
from narrows.job import facts as facts_
from narrows.job.command import Command, resolve
from narrows.job.failure import Failure
from narrows.job.status import Status
from narrows.memory.ledger import device_bytes
from narrows.report.build import trainers
from narrows.spool.read import read
from narrows.spool.record import Process
from narrows.trials.arm import AS_IT_IS
from narrows.trials.look import failed, shielded_run


def fit(wish: Wish) -> tuple[Path, int]:
    """(the run's folder, with the answers in its facts; the exit code). Raises `Failure`."""
    command, status = resolve(list(wish.words)), Status(quiet=wish.quiet)
    status.show("narrows: a few steps of the job, its memory followed ...")
    folder = _real(wish)
    facts, processes = facts_.read(folder), read(folder / "spool")
    mine = next((p for p in trainers(processes) if p.events.get("stream")), None)
    if mine is None and any(p.first("tensorflow") for p in processes) and not any(p.first("torch") for p in processes):
        raise Failure("fit follows the tensors of PyTorch, and this job's are TensorFlow's", 2)
    crashed = facts.ended not in ("ok", "stopped")
    traces = Traces(wish, command, folder)
    try:
        status.show("narrows: the same at other sizes ...")
        same = Changed(command=command)
        traced, plain = traces.run([traces.asked("traced", same), traces.asked("alone", same, "plain")])
        seen = answers.seen(None if crashed else mine, traced.process, plain.process)
        if seen is None:
            why = traced.said or "no step came to its end"
            raise Failure(f"the memory of a step could not be followed: {why}", facts.exit_code or 125)
        batch = _batch(wish, command, seen.process)
        if wish.batch and batch is None:
            raise Failure(scaling.missing("batch", wish.batch_from), 2)
        batches = traces.tried(batch, seen) if batch is not None else None
        lengths = _lengths(wish, command, seen, traces)
        if batches is not None and wish.time:
            status.show("narrows: timing other batches ...")
            batches = traces.timed(batches, seen, plain.process)
        if lengths is not None and wish.time:
            status.show("narrows: timing other lengths ...")
            lengths = traces.timed(lengths, seen, plain.process)
        alone = traces.alone(seen, batch)
        status.show("narrows: running the largest batch, and what makes room ...")
        most = limit(wish.memory, device_bytes(seen.process) if seen.stream.device else 0)
        found = answers.capacity(
            seen, most, batches, lengths, alone, wish, traces.measure(seen, batch, most),
            traces.tools(seen, batch, plain.process),
        )  # fmt: skip
    except KeyboardInterrupt:
        raise Failure("interrupted", 128 + signal.SIGINT) from None
    finally:
        status.clear()
    facts_.write(folder, msgspec.structs.replace(facts, capacity=found))
    return folder, facts.exit_code if crashed else 0


def _real(wish: Wish) -> Path:
    """Run a few steps of the job as it is, behind the shield."""
    told = {"NARROWS_PROBE": f"plan=none,seed=0,memory=real,memory_steps={wish.steps}"}
    folder, code, said = shielded_run(
        wish.words, wish.out, AS_IT_IS, told, allow_writes=wish.allow_writes, interrupted="interrupted", ceilings=False
    )
    if code and not answers.wanted_memory(facts_.read(folder), read(folder / "spool")):
        raise failed(code, said)
    return folder


def _batch(wish: Wish, command: Command, process: Process) -> Size | None:
    loaders = [e for e in process.events.get("loader", ()) if e.get("batch_size")]
    loader: Mapping[str, int | None] = loaders[0] if loaders else {}
    return sizes.batch(command, loader, scaling.samples(process), wish.batch_from)


def _lengths(wish: Wish, command: Command, seen: answers.Seen, traces: Traces) -> scaling.Tried | None:
    """Most jobs have no sequences: where it was not asked for, what cannot be found out is not there. Raises `Failure`."""
    asked = bool(wish.sequence or wish.sequence_from)
    size = sizes.sequence(command, scaling.shapes(seen.process), wish.sequence_from)
    tried = traces.tried(size, seen) if size is not None else None
    known = tried is not None and scaling.model_of(tried.steps) is not None
    if asked and not known:
        why = scaling.missing("sequence", wish.sequence_from) if size is None else scaling.unlike(size, wish.sequence)
        raise Failure(why, 2)
    return tried if known else None
