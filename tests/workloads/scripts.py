"""Runs a workload's script as a user would, with a short training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from narrows.gallery import catalogue
from narrows.job.failure import Failure

SHORT = {"--epochs": "1", "--steps": "16"}


def run(name: str, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    try:
        script = catalogue.installed(name).script
    except Failure as why:
        pytest.skip(why.message)
    return subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False, cwd=home,
        env={**os.environ, "XDG_CACHE_HOME": str(home / "cache")},
    )  # fmt: skip


def own(errors: str) -> str:
    """What the script says, without how TensorFlow greets everybody."""
    greeting = ("WARNING: All log messages before absl", "I0000 ")
    return "".join(line for line in errors.splitlines(keepends=True) if not line.startswith(greeting))


def short(name: str) -> list[str]:
    source = catalogue.find(name).script.read_text()
    return next([option, value] for option, value in SHORT.items() if f'"{option}"' in source)
