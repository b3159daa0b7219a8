"""Runs a script with remedies in it, as a trial does, and gives what it said and what the remedies said."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narrows.job.environment import environment
from narrows.spool.read import read


@dataclass(frozen=True, kw_only=True)
class Ran:
    output: str
    applied: tuple[dict[str, Any], ...]
    """Events of the remedies that found something to change."""
    not_applied: tuple[dict[str, Any], ...]
    errors: str = ""


def run(folder: Path, script: str, *remedies: tuple[str, Any], ends: int = 0, **variables: str) -> Ran:
    """The script, in `folder`, with these (name, value)s. Fails the test if it ends in another way than it should."""
    folder.mkdir(parents=True, exist_ok=True)
    path, spool = folder / "job.py", folder / "spool"
    path.write_text(script)
    spool.mkdir()
    told = {**environment(spool, plan="none", seed=0), "NARROWS_REMEDIES": json.dumps(remedies), **variables}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=folder, env={**os.environ, **told}, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip
    assert done.returncode == ends, done.stderr
    events = [p.events for p in read(spool)]
    return Ran(
        output=done.stdout,
        applied=tuple(dict(e) for p in events for e in p.get("applied", ())),
        not_applied=tuple(dict(e) for p in events for e in p.get("not_applied", ())),
        errors=done.stderr,
    )
