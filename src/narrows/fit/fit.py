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
from narrows.job.facts import Facts
from narrows.job.failure import Failure
from narrows.job.status import Status
from narrows.report.build import trainers
from narrows.report.capacity import Capacity
from narrows.spool.read import read
from narrows.spool.record import Process
from narrows.trials.arm import AS_IT_IS
from narrows.trials.look import failed, shielded_run
from narrows.trials.trial import interruptible


def fit(wish: Wish) -> tuple[Path, int]:
    """(the run's folder, with the answers in its facts; the exit code). Raises `Failure`."""
    command, status = resolve(list(wish.words)), Status(quiet=wish.quiet)
    _check(wish, command)
    status.show("narrows: a few steps of the job, its memory followed ...")
    folder = _real(wish)
    facts, processes = facts_.read(folder), read(folder / "spool")
    mine = next((p for p in trainers(processes) if p.events.get("stream")), None)
    if mine is None and any(p.first("tensorflow") for p in processes) and not any(p.first("torch") for p in processes):
        raise Failure("fit follows the tensors of PyTorch, and this job's are TensorFlow's", 2)
    crashed = facts.ended not in ("ok", "stopped")
    known = _sizes(wish, command, mine) if mine is not None and not crashed else None
    try:
        with interruptible():
            found = _answered(Traces(wish, command, folder), None if crashed else mine, known, facts, status)
    except KeyboardInterrupt:
        raise Failure("interrupted", 128 + signal.SIGINT) from None
    finally:
        status.clear()
    facts_.write(folder, msgspec.structs.replace(facts, capacity=found))
    return folder, facts.exit_code if crashed else 0


def _answered(
    traces: Traces, mine: Process | None, known: tuple[Size | None, Size | None] | None, facts: Facts, status: Status
) -> Capacity:
    """`mine`: the process that was followed, and `known` its sizes; None where it did not come to a step's end."""
    wish, same = traces.wish, Changed(command=traces.command)
    status.show("narrows: the same at other sizes ...")
    asked = [traces.asked("traced", same)]
    if mine is not None:  # else it ran out of memory, and would again
        asked.append(traces.asked("alone", same, "plain"))
    traced, *others = traces.run(asked)
    plain = others[0].process if others else None
    seen = answers.seen(mine, traced.process, plain)
    if seen is None:
        why = traced.said or "no step came to its end"
        raise Failure(f"the memory of a step could not be followed: {why}", facts.exit_code or 125)
    batch, length = known or _sizes(wish, traces.command, seen.process)
    # Most jobs have no sequences: where it was not asked for, what cannot be found out is not there.
    lengths = _tried(length, bool(wish.sequence or wish.sequence_from), wish.sequence, seen, traces)
    batches = _tried(batch, bool(wish.batch), wish.batch, seen, traces)
    if batches is not None and wish.time:
        status.show("narrows: timing other batches ...")
        batches = traces.timed(batches, seen, plain)
    if lengths is not None and wish.time:
        status.show("narrows: timing other lengths ...")
        lengths = traces.timed(lengths, seen, plain)
    alone = traces.alone(seen, batch)
    status.show("narrows: running the largest batch, and what makes room ...")
    most = limit(wish.memory, seen.device, seen.beside)
    return answers.capacity(
        seen, most, batches, lengths, alone, wish, traces.measure(seen, batch, most),
        traces.tools(seen, batch, plain), batch_missing=None if batches is not None else _why(batch),
    )  # fmt: skip


def _real(wish: Wish) -> Path:
    """Run a few steps of the job as it is, behind the shield."""
    told = {"NARROWS_PROBE": f"plan=none,seed=0,memory=real,memory_steps={wish.steps}"}
    folder, code, said = shielded_run(
        wish.words, wish.out, AS_IT_IS, told, allow_writes=wish.allow_writes, interrupted="interrupted", ceilings=False
    )
    if code and not answers.wanted_memory(facts_.read(folder), read(folder / "spool")):
        raise failed(code, said)
    return folder


def _check(wish: Wish, command: Command) -> None:
    """Before anything runs: raises `Failure` for a name that is not there, and for lengths of which there is none."""
    if wish.batch_from and not any(sizes.named(command, "batch", wish.batch_from)):
        raise Failure(scaling.missing("batch", wish.batch_from), 2)
    if (wish.sequence or wish.sequence_from) and not any(sizes.named(command, "sequence", wish.sequence_from)):
        raise Failure(scaling.missing("sequence", wish.sequence_from), 2)


def _sizes(wish: Wish, command: Command, process: Process) -> tuple[Size | None, Size | None]:
    """The batch and the length of the sequences. Raises `Failure` for one that was asked about and is not found."""
    loaders = [e for e in process.events.get("loader", ()) if e.get("batch_size")]
    loader: Mapping[str, int | None] = loaders[0] if loaders else {}
    batch = sizes.batch(command, loader, scaling.samples(process), wish.batch_from)
    length = sizes.sequence(command, scaling.shapes(process), wish.sequence_from)
    if wish.batch and batch is None:
        raise Failure(scaling.missing("batch", ""), 2)
    if wish.sequence and length is None:
        raise Failure(scaling.missing("sequence", ""), 2)
    return batch, length


def _tried(size: Size | None, asked: bool, wanted: int, seen: answers.Seen, traces: Traces) -> scaling.Tried | None:
    """The job at other sizes; None if that tells nothing. Raises `Failure` for that where the size was `asked` about."""
    tried = traces.tried(size, seen) if size is not None else None
    if tried is not None and tried.model is None:
        if asked:
            raise Failure(scaling.unlike(tried.size, wanted), 2)
        return None
    return tried


def _why(batch: Size | None) -> str:
    """Why nothing is said of other batches."""
    return scaling.missing("batch", "") if batch is None else scaling.unlike(batch, 0)
