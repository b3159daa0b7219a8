"""`narrows fit`: one real memory run, traces at other sizes, and what they answer."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from narrows.fit import answers, choice, scaling, sizes
from narrows.fit.limit import limit
from narrows.fit.sizes import Changed, Size, What
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

MOST = 3
"""Numbers that may be the batch and are tried."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What may be the batch and the length of the sequences, the likeliest first."""

    batches: Sequence[Size]
    lengths: Sequence[Size]
    seen: int
    """Leading dimension of the model's input; 0 if it was not seen."""


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


def _answered(traces: Traces, mine: Process | None, known: Sizes | None, facts: Facts, status: Status) -> Capacity:
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
    known = known or _sizes(wish, traces.command, seen.process)
    # Most jobs have no sequences: where it was not asked for, what cannot be found out is not there.
    lengths = _tried(known.lengths, seen, traces)
    if lengths is None and (wish.sequence or wish.sequence_from):
        raise Failure(_why("sequence", known.lengths, wish.sequence), 2)
    batches = _tried(known.batches, seen, traces)
    missing = _why("batch", known.batches, wish.batch, known.seen) if batches is None else None
    if missing and wish.batch:
        raise Failure(missing, 2)
    if batches is not None and wish.time:
        status.show("narrows: timing other batches ...")
        batches = traces.timed(batches, seen, plain)
    if lengths is not None and wish.time:
        status.show("narrows: timing other lengths ...")
        lengths = traces.timed(lengths, seen, plain)
    batch = batches.size if batches is not None else None
    alone = traces.alone(seen, batch)
    status.show("narrows: running the largest batch, and what makes room ...")
    most = limit(wish.memory, seen.device, seen.beside)
    return answers.capacity(
        seen, most, batches, lengths, alone, wish, traces.measure(seen, batch, most),
        traces.tools(seen, batch, plain), batch_missing=missing,
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


def _sizes(wish: Wish, command: Command, process: Process) -> Sizes:
    """Raises `Failure` for a size that was asked about and is not found."""
    rows = scaling.samples(process)
    found = Sizes(
        batches=choice.batches(command, process.events.get("loader", ()), rows, wish.batch_from),
        lengths=choice.lengths(command, scaling.shapes(process), wish.sequence_from),
        seen=rows,
    )
    if wish.batch and not found.batches:
        raise Failure(scaling.missing("batch", "", rows), 2)
    if wish.sequence and not found.lengths:
        raise Failure(scaling.missing("sequence", ""), 2)
    return found


def _tried(sizes: Sequence[Size], seen: answers.Seen, traces: Traces) -> scaling.Tried | None:
    """The job at other sizes, of the first of these with which the model's input goes; None if that tells nothing."""
    every = (traces.tried(size, seen) for size in sizes[:MOST])
    found = next((tried for tried in every if len(tried.steps) > 1), None)
    return found if found is not None and found.model is not None else None


def _why(what: What, sizes: Sequence[Size], wanted: int, seen: int = 0) -> str:
    """Why nothing is said of other sizes."""
    found = [size for size in sizes if not size.guessed]
    return scaling.unlike(found[0], wanted) if found else scaling.missing(what, "", seen)
