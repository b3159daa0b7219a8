"""One trial: a fresh child process behind the shield, and what its steady steps were."""

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from narrows.job.command import Command, mask
from narrows.job.environment import environment
from narrows.job.failure import Failure
from narrows.job.run import run
from narrows.ledger.steady import steady
from narrows.ledger.steps import steps
from narrows.report.build import Accounts, trainers
from narrows.spool.read import read
from narrows.spool.record import Process
from narrows.trials import shield
from narrows.trials.arm import Arm, Measured, Unproven


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all trials of a job have in common."""

    command: Command
    folder: Path
    """Each trial makes a folder of its own in it, and removes it."""
    rank: int
    steps: int
    """Steady steps to be measured."""
    longest: float
    """Seconds; a trial that takes longer is given up."""
    shield: bool = True
    """False: trials may write where the job writes."""


MEASURED, FEWEST_STEPS, MOST_STEPS = 3.0, 24, 2000
"""Seconds of steady steps in a trial, and the bounds on their number."""
COMPILING = 120.0
"""Seconds that a trial with remedies may take longer: the first one with a compiler in it compiles."""
SLOWER = 4.0
"""A trial may take so many times as long as its steps should."""


def setting(command: Command, folder: Path, every: Accounts, *, shield: bool = True, asked: int = 0) -> Setting | None:
    """What trials of a job that was looked at are to be like; None if it has no steady steps. `asked`: of so many
    steps; 0: as many as it takes."""
    if every.process is None or every.mine is None or every.mine.steady is None:
        return None
    typical = every.mine.steady
    count = asked or max(FEWEST_STEPS, min(MOST_STEPS, math.ceil(MEASURED / typical.median)), 6 * typical.block)
    started = (every.mine.steps.steps[typical.first].end_ns - every.process.start_ns) / 1e9
    longest = 30 + SLOWER * (started + (count + 40) * typical.median)
    return Setting(command=command, folder=folder, rank=every.process.rank, steps=count, longest=longest, shield=shield)


def trial(how: Setting, arm: Arm) -> Measured:
    """The job, run in this way. Raises `Unproven`, `KeyboardInterrupt`."""
    folder = how.folder / "trial"
    remove(folder)
    spool = folder / "spool"
    spool.mkdir(parents=True)
    late = False

    def tick(seconds: float) -> bool:
        nonlocal late
        late = seconds > how.longest + (COMPILING if arm.remedies else 0.0)
        return late

    told = environment(
        spool, steps=how.steps, seconds=0, plan="none", without=arm.without, seed=arm.seed, curve=1
    )  # fmt: skip
    compiled = how.folder / "compiled"
    compiled.mkdir(exist_ok=True)
    told.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled))  # else each trial would compile anew
    told.update({"NARROWS_REMEDIES": json.dumps(arm.remedies), "PYTHONHASHSEED": str(arm.seed), **arm.environment})
    try:
        outcome = run(
            shielded(how.command, folder, [spool, compiled], arm) if how.shield else how.command,
            told,
            tick=tick,
            output=folder / "output",
        )
        if outcome.ended == "interrupted":
            raise KeyboardInterrupt
        if outcome.exit_code in (shield.NO_SHIELD, shield.ONLY_READ):
            raise Unproven("shield")
        if outcome.ended == "out_of_memory":
            raise Unproven("memory")
        found = _measured(read(spool), how.rank, outcome.peak_bytes)
        if found is None:
            raise Unproven("slow") if late else Unproven("failed", last_line(folder / "output"))
        return found
    except Failure as error:
        raise Unproven("failed", str(error)) from None
    finally:
        remove(folder)


def shielded(command: Command, folder: Path, keep: Sequence[Path], arm: Arm) -> Command:
    """The command behind the shield, whose writes go to `folder`; those to `keep` are real."""
    words = [sys.executable, "-I", "-S", shield.__file__, str(folder)]
    for real in keep:
        words += ["--keep", str(real)]
    for number, (file, text) in enumerate(arm.files.items()):
        changed = folder / f"changed{number}.py"
        changed.write_text(text)
        words += ["--put", str(changed), os.path.realpath(file)]
    return replace(command, words=(*words, "--", *command.words))


def _measured(processes: Sequence[Process], rank: int, peak: int) -> Measured | None:
    mine = next((p for p in trainers(processes) if p.rank == rank), None)
    typical = steady(steps(mine.boundaries).steps) if mine is not None else None
    if mine is None or typical is None:
        return None
    answers = mine.last("answers").get("answers", ())
    return Measured(
        seconds=typical.median,
        samples=typical.samples,
        losses=tuple(map(float, mine.last("curve").get("losses", ()))),
        answers=tuple(tuple(map(float, answer)) for answer in answers) if not mine.last("curve").get("losses") else (),
        peak_bytes=peak,
        applied=frozenset(e["remedy"] for p in processes for e in p.events.get("applied", ())),
        not_applied={e["remedy"]: e["why"] for p in processes for e in p.events.get("not_applied", ())},
    )


def last_line(path: Path) -> str:
    """What the job said last, secrets masked."""
    try:
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return " ".join(mask(lines[-1][:200].split())) if lines else ""


def remove(folder: Path) -> None:
    """Overlays leave folders that may not be read: they are ours, so they are made readable first."""

    def again(function: Callable[[str], object], path: str, _: object) -> None:
        try:
            os.chmod(path, 0o700)
            function(path) if os.path.isfile(path) else shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass

    if folder.exists():
        shutil.rmtree(folder, onerror=again)
