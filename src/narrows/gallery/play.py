"""One run of a workload: its lines pass through, its progress is a bar, and its last line is its score."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from narrows.gallery.catalogue import Workload

PROGRESS = re.compile(r"^(?:epoch|step) (\d+)/(\d+)\b")
SCORE = re.compile(r"^(?P<name>[\w -]+?) (?P<score>-?[\d.]+)  \(baseline (?P<baseline>-?[\d.]+): (?P<how>.+)\)$")


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of the test data; the baseline learns nothing."""

    name: str
    score: float
    baseline: float
    how: str
    """What the baseline does."""

    def beats(self, workload: Workload) -> bool:
        return self.score < self.baseline if workload.better == "lower" else self.score > self.baseline


@dataclass(frozen=True, kw_only=True)
class Run:
    code: int
    """As a shell has it."""
    seconds: float
    score: Score | None
    """None of a run that answered, or failed."""
    said: str
    """The last line."""


def score(line: str) -> Score | None:
    found = SCORE.match(line.strip())
    if found is None:
        return None
    return Score(
        name=found["name"], score=float(found["score"]), baseline=float(found["baseline"]), how=found["how"]
    )  # fmt: skip


def progress(line: str) -> tuple[int, int] | None:
    """(how many are done, of how many)."""
    found = PROGRESS.match(line)
    return (int(found[1]), int(found[2])) if found else None


def play(workload: Workload, words: Sequence[str], *, show: Callable[[str], None], bar: bool) -> Run:
    """`show` gets each line of its output; `bar`: its progress is drawn on standard error. Standard error is its own."""
    began = time.monotonic()
    command = [sys.executable, str(workload.script), *words]
    told = {**os.environ, "PYTHONUNBUFFERED": "1"}
    last, found = "", None
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, env=told, text=True, errors="replace") as process,
        _Bar(workload.name) if bar else nullcontext() as drawn,
    ):
        try:
            for line in process.stdout or ():
                show(line)
                if drawn is not None and (done := progress(line)) is not None:
                    drawn(*done)
                if line.strip():
                    last, found = line.strip(), score(line)
            code = process.wait()
        except KeyboardInterrupt:  # the terminal has told it, too
            process.wait()
            code = 130
    return Run(code=code if code >= 0 else 128 - code, seconds=time.monotonic() - began, score=found, said=last)


class _Bar:
    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
        self.task = self.progress.add_task(name, total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self.progress.start()
        return lambda done, total: self.progress.update(self.task, completed=done, total=total)

    def __exit__(self, *error: Any) -> None:
        self.progress.stop()
