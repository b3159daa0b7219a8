"""Watches the job's processes from outside: how long they ran, and how long they waited for a core.

The kernel counts, for each thread, the time it could have run but another one had the core (the second number of
/proc/PID/task/TID/schedstat). Reading that costs the job nothing. Where there is no /proc there are no samples.
"""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

WATCHED = "watch.jsonl"
"""Its name in a run's folder."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One process at one moment; nanoseconds since it began, summed over its living threads."""

    at_ns: int
    """Of the monotonic clock, as in the spool."""
    pid: int
    ran_ns: int
    threads: int
    main_ran_ns: int = 0
    """Of its main thread alone."""
    main_waited_ns: int = 0
    most_waited_ns: int = 0
    """Of the thread that waited most."""


FIELDS = tuple(field.name for field in fields(Sample))
"""In the order of a row of the file."""


def look(pids: Iterable[int]) -> list[Sample]:
    now = time.monotonic_ns()
    found = []
    for pid in pids:
        ran = threads = main_ran = main_waited = most = 0
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    a, b, _ = file.read().split()
            except (OSError, ValueError):
                continue
            ran, threads = ran + int(a), threads + 1
            most = max(most, int(b))
            if task == str(pid):
                main_ran, main_waited = int(a), int(b)
        if threads:
            found.append(
                Sample(
                    at_ns=now, pid=pid, ran_ns=ran, threads=threads, main_ran_ns=main_ran, main_waited_ns=main_waited,
                    most_waited_ns=most,
                )
            )  # fmt: skip
    return found


def append(path: Path, samples: Iterable[Sample]) -> None:
    """A full disk loses samples and nothing else."""
    rows = [list(astuple(s)) for s in samples]
    try:
        with path.open("a") as file:
            file.write(json.dumps(rows) + "\n")
    except OSError:
        pass


def read(path: Path) -> tuple[Sample, ...]:
    found: list[Sample] = []
    try:
        text = path.read_text()
    except OSError:
        return ()
    for line in text.splitlines():
        try:
            found.extend(Sample(**dict(zip(FIELDS, row, strict=True))) for row in json.loads(line))
        except ValueError:  # cut off, or of another version: a sample less
            continue
    return tuple(found)
