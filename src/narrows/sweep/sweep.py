"""Runs a job with one setting after the other, here or on the machines of a Ray cluster."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from narrows.job.command import mask, resolve
from narrows.job.diagnose import Request, diagnose
from narrows.report.build import build
from narrows.report.model import encode
from narrows.sweep.model import Entry, Sweep, compared, entry, missing
from narrows.sweep.variants import Variant


@dataclass(frozen=True, kw_only=True)
class Wish:
    words: tuple[str, ...]
    variants: Sequence[Variant]
    steps: int
    seconds: float
    out: Path
    quiet: bool
    lang: str
    ray: str = ""
    each_machine: bool = False
    """On a cluster: each setting on each machine, and not on the first that is free."""
    aside: bool = False


@dataclass(frozen=True, kw_only=True)
class Run:
    """One setting; picklable, as it may run on another machine."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    setting: Mapping[str, str]


def sweep(wish: Wish) -> tuple[Sweep, int]:
    """(the comparison, the exit code: that of the first job that failed). Raises `Failure`."""
    resolve(list(wish.words))  # said at once if there is no such job
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    every = [
        Run(words=tuple(v.words(wish.words)), environment=dict(v.environment), setting=v.setting) for v in wish.variants
    ]
    if wish.ray:
        from narrows.sweep.cluster import on_cluster

        found = on_cluster(wish, every)
    else:
        found = list(here(wish, every))
    made = Sweep(created=created, command=mask(list(wish.words)), entries=compared(found))
    return made, next((e.exit_code for e in found if e.exit_code), 125 if any(e.ended is None for e in found) else 0)


def here(wish: Wish, every: Sequence[Run]) -> Iterator[Entry]:
    """One after the other; an interrupt ends the job that runs, and those after it are not begun."""
    for number, run in enumerate(every):
        if not wish.quiet:
            sys.stderr.write(f"narrows: {number + 1} of {len(every)}: {named(run.setting)}\n")
        folder, _ = diagnose(
            Request(
                words=run.words, steps=wish.steps, seconds=wish.seconds, out=wish.out, quiet=wish.quiet,
                environment=run.environment, aside=wish.aside,
            )
        )  # fmt: skip
        report = build(folder, wish.lang)
        (folder / "report.json").write_bytes(encode(report))
        yield entry(dict(run.setting), report, folder)
        if report.job.ended == "interrupted" or report.job.exit_code == 128 + signal.SIGINT:
            yield from (missing(dict(left.setting), "interrupted") for left in every[number + 1 :])
            return


def named(setting: Mapping[str, str]) -> str:
    return " ".join(f"{name}{' ' if name.startswith('-') else '='}{value}" for name, value in setting.items())
