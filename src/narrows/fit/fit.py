"""`narrows fit`: one real memory run, traces at other sizes, and what they answer."""

import os
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec

from narrows import remedies
from narrows.fit import answers
from narrows.fit.batch import Batch, Changed, find
from narrows.fit.child import Asked, Ran, memory_run
from narrows.fit.limit import Limit, limit
from narrows.fit.wish import Wish
from narrows.job import facts as facts_
from narrows.job.command import Command, resolve
from narrows.job.failure import Failure
from narrows.job.status import Status
from narrows.machine import hardware
from narrows.memory.inside import ratios, with_inside
from narrows.memory.ledger import taken
from narrows.memory.stream import Stream, representative
from narrows.report.build import trainers
from narrows.spool.read import read
from narrows.spool.record import Process
from narrows.trials.arm import AS_IT_IS
from narrows.trials.look import failed, shielded_run

MUCH = 0.5
"""Share of this machine's memory up to which the largest batch is run, to see."""
STEPS = 4
"""Updates of a trace: the optimizer's state is there from the second on."""


def fit(wish: Wish) -> tuple[Path, int]:
    """(the run's folder, with the answers in its facts; the exit code). Raises `Failure`."""
    command, status = resolve(list(wish.words)), Status(quiet=wish.quiet)
    status.show("narrows: a few steps of the job, its memory followed ...")
    folder = _real(wish)
    facts, processes = facts_.read(folder), read(folder / "spool")
    mine = next((p for p in trainers(processes) if p.events.get("stream")), None)
    crashed = facts.ended not in ("ok", "stopped")
    traces = _Traces(wish, command, folder)
    try:
        status.show("narrows: the same at other sizes ...")
        same = Changed(command=command)
        traced, alone = traces.run([traces.asked("traced", same), traces.asked("alone", same, "plain")])
        seen = answers.seen(None if crashed else mine, traced.process, alone.process)
        if seen is None:
            why = traced.said or "no step came to its end"
            raise Failure(f"the memory of a step could not be followed: {why}", facts.exit_code or 125)
        batch = _batch(wish, command, seen.process)
        if wish.batch and batch is None:
            raise Failure(answers.missing(wish.batch_from), 2)
        sizes = traces.sizes(batch, seen) if batch is not None else {}
        ways = traces.ways(seen) if seen.traced else {}
        status.show("narrows: running the largest batch ...")
        most = limit(wish.memory)
        found = answers.capacity(seen, most, batch, sizes, ways, wish, traces.measure(seen, batch, most))
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


def _batch(wish: Wish, command: Command, process: Process) -> Batch | None:
    loaders = [e for e in process.events.get("loader", ()) if e.get("batch_size")]
    loader: Mapping[str, int | None] = loaders[0] if loaders else {}
    return find(command, loader, answers.samples(process), wish.batch_from)


class _Traces:
    """Memory runs of the job beside the first, two at a time."""

    def __init__(self, wish: Wish, command: Command, folder: Path) -> None:
        self.wish, self.command, self.folder = wish, command, folder

    def asked(self, name: str, job: Changed, how: str = "fake") -> Asked:
        return Asked(name=name, job=job, how=how, steps=STEPS)

    def run(self, every: Sequence[Asked]) -> list[Ran]:
        with ThreadPoolExecutor(max_workers=max(1, min(2, os.cpu_count() or 1))) as pool:
            made = [pool.submit(memory_run, e, self.folder, shield=not self.wish.allow_writes) for e in every]
            return [each.result() for each in made]

    def sizes(self, batch: Batch, seen: answers.Seen) -> dict[int, Stream]:
        """Steps by their batch; the present one is among them."""
        found = {batch.now: seen.traced or seen.stream}
        others = sorted(answers.points(batch) - {batch.now})
        how = "fake" if seen.traced else "real"
        asked = [self.asked(f"batch{size}", batch.of(self.command, size), how) for size in others]
        for size, ran in zip(others, self.run(asked), strict=True):
            stream = representative(ran.process) if ran.process is not None else None
            if ran.process is not None and stream is not None and answers.scaled(seen, ran.process, size / batch.now):
                found[size] = with_inside(stream, seen.ratios if seen.traced else ratios(ran.process))
        return found

    def measure(self, seen: answers.Seen, batch: Batch | None, most: Limit) -> answers.Measure:
        """Runs the job at a batch, where that much is not much for this machine."""

        def run(size: int) -> int | None:
            if batch is None or not seen.real or most.bytes > MUCH * hardware.memory_bytes():
                return None
            ran = memory_run(
                self.asked(f"alone{size}", batch.of(self.command, size), "plain"),
                self.folder, shield=not self.wish.allow_writes,
            )  # fmt: skip
            if ran.process is None or not answers.scaled(seen, ran.process, size / batch.now):
                return None
            peak = taken(ran.process)
            return peak - seen.rest.files if peak else None

        return run

    def ways(self, seen: answers.Seen) -> dict[tuple[str, bool | int], Stream | int]:
        """The step with each remedy that found something to change; of one that is in the process's environment, and no
        tensor's, the bytes that the process took."""
        ways = [(name, value) for name in remedies.names() for value in getattr(remedies.load(name), "ROOM", ())]
        asked = []
        for name, value in ways:
            module = remedies.load(name)
            environment = module.environment(value) if hasattr(module, "environment") else {}
            how = "fake" if hasattr(module, "apply") else "plain"
            job = replace(self.asked(f"{name}-{value}", Changed(command=self.command), how), environment=environment)
            asked.append(replace(job, remedies=((name, value),)))
        found: dict[tuple[str, bool | int], Stream | int] = {}
        for way, job, ran in zip(ways, asked, self.run(asked), strict=True):
            if ran.process is None:
                continue
            stream = representative(ran.process) if job.how == "fake" else None
            if stream is not None and way[0] in ran.applied:
                found[way] = with_inside(stream, seen.ratios)
            elif job.how == "plain" and seen.real:
                found[way] = taken(ran.process) - seen.rest.files
        return found
