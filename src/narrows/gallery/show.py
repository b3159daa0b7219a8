"""What `narrows workload` does: list, run one, or train all."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from narrows.gallery import table
from narrows.gallery.catalogue import Workload, find, installed, names
from narrows.gallery.play import play
from narrows.job.failure import Failure
from narrows.job.status import Status


def listing(*, colour: bool) -> None:
    """To standard output, as it is what was asked for."""
    _print(table.listed([find(name) for name in names()]), colour=colour)


def one(workload: Workload, words: Sequence[str], *, quiet: bool) -> int:
    """Its exit code."""
    run = play(workload, words, show=_out, bar=not quiet and sys.stderr.isatty())
    if run.score is not None and not quiet:
        beats = "better" if run.score.beats(workload) else "NOT better"
        sys.stderr.write(f"@{workload.name}: {run.seconds:.0f} s, {beats} than the baseline\n")
    return run.code


def train_all(page: Path | None, *, quiet: bool, colour: bool) -> int:
    """Train every workload, one after the other, and print a table. 1 if one is not better than its baseline."""
    rows, status = [], Status(quiet=quiet)
    for number, name in enumerate(names()):
        try:
            workload = installed(name)
        except Failure as why:
            rows.append(table.Row(workload=find(name), run=None, missing=why.message.split(":")[0]))
            continue
        status.show(f"narrows: {number + 1} of {len(names())}, @{name} ...")
        run = play(workload, (), show=lambda line: None, bar=False)
        rows.append(table.Row(workload=workload, run=run))
        if run.code == 130:
            break
    status.clear()
    found = [table.cells(row) for row in rows]
    _print(table.drawn(table.HEADS, found), colour=colour)
    if page is not None:
        try:
            page.write_text(table.markdown(table.HEADS, found))
        except OSError as error:
            raise Failure(f"{page} cannot be written: {error.strerror}", 2) from None
    return 0 if all(row.good for row in rows) else 1


def _out(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _print(made: Table, *, colour: bool) -> None:
    Console(no_color=not colour, highlight=False).print(made)
