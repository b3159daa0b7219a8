"""Compiled regions while a dispatch mode is open.

Dynamo then compiles nothing and runs everything eagerly. With `fullgraph=True` newer versions of torch take that for an
error of the job's; told that eager is wanted, they do not.
"""

import sys
from collections.abc import Callable
from typing import Any

from .. import job
from . import branches


def wanted(mode: Any) -> Callable[[], None]:
    """Say so from now on, while this mode is open; what is returned ends it, whatever happens."""
    as_it_was = _stance()

    def compiling() -> Callable[[], None]:
        as_it_was()
        return again

    def again() -> None:
        nonlocal as_it_was
        as_it_was = _stance()

    inside = branches.outside(job.torch, mode, compiling)

    def done() -> None:
        inside()
        as_it_was()

    return done


def _stance() -> Callable[[], None]:
    """Of a job that compiles at all."""
    frames: Any = sys.modules.get("torch._dynamo.eval_frame")
    set_stance = getattr(getattr(job.torch, "compiler", None), "set_stance", None)
    if frames is None or set_stance is None or not hasattr(frames, "_stance"):
        return _nothing
    try:
        before = frames._stance
        set_stance("force_eager")
    except Exception:  # within a compiled region, where nothing is compiled now
        return _nothing

    def done() -> None:
        frames._stance = before

    return done


def _nothing() -> None:
    pass
