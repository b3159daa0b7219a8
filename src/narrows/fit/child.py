"""One memory run of the job: a fresh process behind the shield, ended after a few steps."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import TimeoutExpired

from narrows.fit.sizes import Changed
from narrows.job import tree
from narrows.job.environment import environment
from narrows.job.run import start
from narrows.report.build import trainers
from narrows.spool.read import read
from narrows.spool.record import Process
from narrows.trials.arm import Arm, Value
from narrows.trials.measure import last_line
from narrows.trials.setting import remove, shielded

LONGEST = 300.0
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    process: Process | None
    """The one that steps; None if none did."""
    said: str = ""
    """The job's last line, if it failed."""
    applied: frozenset[str] = frozenset()
    """Remedies that found something to change."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    name: str
    job: Changed
    how: str
    """`real`, `fake` (without numbers) or `plain` (nothing is followed)."""
    steps: int
    remedies: Sequence[tuple[str, Value]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def memory_run(asked: Asked, folder: Path, *, shield: bool) -> Ran:
    """Raises `KeyboardInterrupt`; no process and no file is left either way."""
    own = folder / asked.name
    spool, output = own / "spool", own / "output"
    remove(own)
    spool.mkdir(parents=True)
    told = environment(spool, plan="none", seed=0, memory=asked.how, memory_steps=asked.steps, **asked.job.told)
    told |= {"NARROWS_REMEDIES": json.dumps(asked.remedies), "PYTHONHASHSEED": "0", **asked.environment}
    if asked.how == "fake":
        told["TORCHDYNAMO_DISABLE"] = "1"  # a compiler would look for numbers
    command = asked.job.command
    if shield or asked.job.files:
        command = shielded(command, own, [spool], Arm(name=asked.name, files=asked.job.files))
    child = start(command, told, output)
    try:
        code = child.wait(LONGEST)
        processes = read(spool)
        mine = [p for p in trainers(processes) if p.events.get("stream") or p.events.get("plain_step")]
        return Ran(
            process=mine[0] if mine else None,
            said=last_line(output) if code else "",
            applied=frozenset(e["remedy"] for p in processes for e in p.events.get("applied", ())),
        )
    except TimeoutExpired:
        return Ran(process=None, said="it did not come to its steps in time")
    finally:
        if child.poll() is None:
            tree.kill(child.pid)
        child.wait()
        remove(own)
        shutil.rmtree(own, ignore_errors=True)
