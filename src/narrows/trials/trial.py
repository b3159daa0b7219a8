"""One trial: a fresh child process behind the shield, and the median of its steady steps."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from narrows.job.command import Command, mask
from narrows.job.environment import environment
from narrows.job.failure import Failure
from narrows.job.run import run
from narrows.ledger.steady import steady
from narrows.ledger.steps import steps
from narrows.report.build import trainers
from narrows.spool.read import read
from narrows.trials import shield
from narrows.trials.counterfactual import Plan


class Unproven(Exception):
    """Why a trial says nothing: a word for the report, and a detail."""

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(word, detail)
        self.word, self.detail = word, detail


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


def trial(setting: Setting, plan: Plan | None) -> float:
    """Seconds of a steady step, with the plan's cause left out, or as it is. Raises `Unproven`, `KeyboardInterrupt`."""
    folder = setting.folder / "trial"
    _remove(folder)
    spool = folder / "spool"
    spool.mkdir(parents=True)
    late = False

    def tick(seconds: float) -> bool:
        nonlocal late
        late = seconds > setting.longest
        return late

    told = environment(spool, steps=setting.steps, seconds=0, plan="none", without=plan.cause if plan else "")
    try:
        outcome = run(_shielded(setting.command, folder, spool, plan), told, tick=tick, output=folder / "output")
        if outcome.ended == "interrupted":
            raise KeyboardInterrupt
        if outcome.exit_code in (shield.NO_SHIELD, shield.ONLY_READ):
            raise Unproven("shield")
        found = _step(spool, setting.rank)
        if found is None:
            raise Unproven("slow") if late else Unproven("failed", _last_line(folder / "output"))
        return found
    except Failure as error:
        raise Unproven("failed", str(error)) from None
    finally:
        _remove(folder)


def _shielded(command: Command, folder: Path, spool: Path, plan: Plan | None) -> Command:
    words = [sys.executable, "-I", "-S", shield.__file__, str(folder), "--keep", str(spool)]
    for number, (file, text) in enumerate((plan.files if plan else {}).items()):
        changed = folder / f"changed{number}.py"
        changed.write_text(text)
        words += ["--put", str(changed), os.path.realpath(file)]
    return replace(command, words=(*words, "--", *command.words))


def _step(spool: Path, rank: int) -> float | None:
    typical = [steady(steps(p.boundaries).steps) for p in trainers(read(spool)) if p.rank == rank]
    return typical[0].median if typical and typical[0] is not None else None


def _last_line(path: Path) -> str:
    try:
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return " ".join(mask(lines[-1][:200].split())) if lines else ""


def _remove(folder: Path) -> None:
    """Overlays leave folders that may not be read: they are ours, so they are made readable first."""

    def again(function: Callable[[str], object], path: str, _: object) -> None:
        try:
            os.chmod(path, 0o700)
            function(path) if os.path.isfile(path) else shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass

    if folder.exists():
        shutil.rmtree(folder, onerror=again)
