"""Runs a job with the probe in it, measures the machine that it ran on, and leaves a folder that holds both."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from narrows import __version__
from narrows.job import facts as facts_
from narrows.job import folder as folders
from narrows.job import tree
from narrows.job.command import Command, mask, resolve
from narrows.job.environment import environment
from narrows.job.facts import Facts
from narrows.job.live import Live
from narrows.job.run import run
from narrows.job.status import Status
from narrows.job.watch import WATCHED
from narrows.ledger.alignment import same_machine
from narrows.machine import hardware
from narrows.machine.apart import apart
from narrows.machine.ceilings import measured, torch_version
from narrows.machine.fixed import fixed_costs, signature
from narrows.machine.links import links
from narrows.report.build import trainers
from narrows.report.model import Ceilings, Machine
from narrows.spool.read import read
from narrows.spool.record import TENSORFLOW, XLA, Process

LATE = 15.0
"""Seconds after which a job that `--seconds` should have stopped from within is stopped from outside."""

LEAVE = 3.0
"""Seconds that ranks have to end by themselves once what started them is gone."""

BUSY = "This machine was busy while its ceilings were measured, so the limits may be too low."


@dataclass(frozen=True, kw_only=True)
class Request:
    words: tuple[str, ...]
    steps: int
    seconds: float
    out: Path
    quiet: bool
    wrap: Callable[[Command, Path], Command] | None = None
    """Given the command and the run's folder: what is run instead (the same, behind a shield)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    aside: bool = False
    """The report takes standard output, so what the job prints there goes to standard error."""
    ceilings: bool = True
    """False: what the machine could do is not asked."""


def diagnose(request: Request) -> tuple[Path, int]:
    """(the run's folder, the exit code to end with). Raises `Failure` if the job cannot be started."""
    command = resolve(list(request.words))
    folder = folders.make(request.out)
    facts = Facts(
        id=folder.path.name,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        narrows=__version__,
        command=mask(list(command.typed)),
        cwd=os.getcwd(),
        notes=[folder.note] if folder.note else [],
        asked_steps=request.steps,
    )
    facts_.write(folder.path, facts)
    live = Live(folder.spool, quiet=request.quiet)

    def tick(seconds: float) -> bool:
        live.draw()
        return bool(request.seconds and seconds > request.seconds + LATE)

    told = {**environment(folder.spool, steps=request.steps, seconds=request.seconds), **request.environment}
    if request.wrap is not None:
        command = request.wrap(command, folder.path)
    output = folder.path / "output" if request.wrap is not None else None
    outcome = run(command, told, tick=tick, watched=folder.path / WATCHED, output=output, aside=request.aside)
    live.clear()
    if outcome.ended != "ok":
        # Ranks whose launcher was killed train on, and wait for nobody.
        ranks_left = [p.pid for p in read(folder.spool) if p.ranks > 1]
        tree.end(ranks_left, f"NARROWS_SPOOL={folder.spool}", LEAVE)
    processes = read(folder.spool)
    asked = any(p.first("stopped") for p in processes) and outcome.exit_code == 0
    # Written before the machine is measured, which takes a while and may be interrupted.
    facts = msgspec.structs.replace(
        facts,
        ended="stopped" if asked else outcome.ended,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        wall_seconds=outcome.wall_seconds,
        peak_bytes=outcome.peak_bytes,
        memory_kills=outcome.memory_kills,
    )
    facts_.write(folder.path, facts)
    ranks = trainers(processes)
    if request.ceilings:
        facts = _with_machine(facts, ranks, quiet=request.quiet)
    else:
        facts = msgspec.structs.replace(facts, machine=_machine(None, []))
    facts_.write(folder.path, facts)
    return folder.path, outcome.exit_code


def _with_machine(facts: Facts, ranks: Sequence[Process], *, quiet: bool) -> Facts:
    """The ceilings, with the threads that a rank has of this machine, and the fixed costs of the ops that ran."""
    if not ranks:
        return msgspec.structs.replace(facts, machine=_machine(None, []))
    torch, start = ranks[0].last("torch"), ranks[0].first("start")
    python = start.get("executable") or sys.executable
    version = torch.get("version") or torch_version(python) or "?"
    here = [p for p in ranks if same_machine(ranks[0], p)]
    threads = max(1, hardware.cores() // max(1, start.get("local_ranks") or len(here)))
    status = Status(quiet=quiet)
    status.show("narrows: this machine's ceilings (up to 20 s the first time) ...")
    found = measured(python, threads, version)
    limits = found.ceilings if found else None
    if limits is not None and len(here) == len(ranks) > 1:
        status.show("narrows: what its ranks can exchange here (up to 20 s the first time) ...")
        between = links(python, len(ranks), version, backend(ranks[0]))
        limits = msgspec.structs.replace(limits, collective=between)
    # What TensorFlow's ops are seen to take begins after their dispatch: their fixed cost is known without measuring.
    every = [op for p in ranks for w in p.windows for op in w.ops if not op.name.startswith((TENSORFLOW, XLA))]
    fixed = fixed_costs(python, int(torch.get("threads") or threads), version, every)
    alone: dict[str, float] = {}
    if not ranks[0].cuda and sum(p.threads or 1 for p in here) > hardware.cores():
        status.show("narrows: its ops, with no more threads than cores (10 s) ...")
        alone = apart(python, threads, len(here), every)
    status.clear()
    notes = [BUSY] if found is not None and found.doubtful else []
    return msgspec.structs.replace(
        facts,
        machine=_machine(limits, torch.get("devices") or []),
        fixed={signature(op): fixed(op) for op in every},
        apart=alone,
        notes=[*facts.notes, *notes],
    )


def backend(rank: Process) -> str:
    """Of its process group, what carries gradients: of several backends (`cpu:gloo,cuda:nccl`, `undefined`) the device's."""
    named = str(rank.last("group").get("backend") or "gloo")
    return "nccl" if named != "gloo" and rank.cuda else "gloo"


def _machine(found: Ceilings | None, devices: list[str]) -> Machine:
    return Machine(
        cpu=hardware.cpu_name(),
        cores=hardware.cores(),
        memory_bytes=hardware.memory_bytes(),
        devices=devices,
        ceilings=found,
    )
