"""Starts a memory run, once torch is there and the hooks are in."""

import os
import time
from typing import Any

from .. import job, schedule
from ..hooks import optimizer
from ..windows import branches
from .ending import Ending
from .plain import Plain
from .run import Run


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
        branches.called(torch)
        run.mode.__enter__()
    original, ending = job.boundary, Ending(steps, time.monotonic)

    def boundary(kind: int, who: int, at: int = 0, *, turn: bool = True) -> None:
        if not job.forked:
            try:
                run.boundary(kind, who)
                if kind == job.UPDATE:
                    ending.update(who)
                else:
                    ending.call(job.backwards)
                idle = optimizer.idle()
                if ending.over(idle):
                    schedule.enough = True
                elif ending.nearly(idle):
                    run.watch()
            except Exception as error:
                job.quiet(error)
        original(kind, who, at, turn=turn)

    def forked() -> None:
        if isinstance(run, Run):
            run.mode.off = True

    job.boundary = boundary
    os.register_at_fork(after_in_child=forked)
    job.at_end.append(run.finish)
