"""Starts a memory run, once torch is there and the hooks are in."""

import os
import time
from typing import Any

from .. import job, schedule
from .plain import Plain
from .run import Run

CALLS, SECONDS = 1000, 30.0
"""Model calls, and seconds after the first, after which a job that never trains is ended."""
FIRST = 4
"""Calls of such a job before its allocator is watched."""


def start(torch: Any, how: str, steps: int) -> None:
    """`how`: `real`, `fake` for tensors without numbers, or `plain`, in which nothing is followed. Ends the job after so
    many updates of each optimizer."""
    fake = None
    if how == "fake":
        from .fake import Fake
        from .reading import told

        fake = Fake(torch)
        fake.start()
        job.at_end.append(told)
    run: Run | Plain
    if how == "plain":
        run = Plain(torch)
    else:
        run = Run(torch, fake)
        # Under a mode dynamo compiles nothing anyway, and takes that for an error where a whole graph was asked for.
        os.environ["TORCHDYNAMO_DISABLE"] = "1"
        run.mode.__enter__()
    original = job.boundary
    turns: dict[int, int] = {}
    calls = 0
    began = 0.0

    def boundary(kind: int, who: int, at: int = 0, *, turn: bool = True) -> None:
        nonlocal calls, began
        if not job.forked:
            try:
                run.boundary(kind, who)
                calls += kind == job.CALL
                began = began or time.monotonic()
                over = not trains() and (calls >= CALLS or time.monotonic() - began > SECONDS)
                if kind == job.UPDATE:
                    turns[who] = turns.get(who, 0) + 1
                done = min(turns.values(), default=0)
                if (turns and done >= steps) or over:
                    schedule.enough = True
                elif done >= steps - 1 if turns else calls > FIRST and not trains():
                    run.watch()
            except Exception as error:
                job.quiet(error)
        original(kind, who, at, turn=turn)

    def trains() -> bool:
        return bool(turns or job.backwards)

    def forked() -> None:
        if isinstance(run, Run):
            run.mode.off = True

    job.boundary = boundary
    os.register_at_fork(after_in_child=forked)
    job.at_end.append(run.finish)
