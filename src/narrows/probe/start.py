"""Starts the probe in a process, and ends it."""

import atexit
import os
import sys
import time
from typing import Any
from zlib import crc32

from . import crash, imports, job, places, remedies, state, stuck
from .spool import Spool

begun = False


def start() -> None:
    """Called once, from `sitecustomize`, before the job's own code."""
    global begun
    if begun:
        return
    begun = True
    job.folder = os.environ["NARROWS_SPOOL"]
    job.spool = Spool(job.folder)
    job.settings = _settings(os.environ.get("NARROWS_PROBE", ""))
    _announce()
    os.register_at_fork(after_in_child=_forked)
    atexit.register(_ended)
    if "seed" in job.settings:
        remedies.seed(int(job.settings["seed"]))
    remedies.start(os.environ.get("NARROWS_REMEDIES") or "[]")
    if job.settings.get("plan") != "off":
        imports.when("torch", _torch)
        imports.when("tensorflow", _tensorflow)
        imports.when("jax", _jax)
        imports.when("keras", _keras)


def _settings(text: str) -> dict[str, str]:
    """`steps=100,seconds=30` as the parent wrote it."""
    return dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)


def _announce() -> None:
    environment = os.environ
    job.spool.event(
        "start",
        pid=os.getpid(),
        parent=os.getppid(),
        unix=time.time(),
        host=os.uname().nodename if hasattr(os, "uname") else None,
        argv=getattr(sys, "orig_argv", [])[:1],
        python=sys.version.split()[0],
        executable=sys.executable,
        cwd=os.getcwd() if os.path.exists(".") else None,
        rank=_number(environment.get("RANK")),
        ranks=_number(environment.get("WORLD_SIZE")),
        local_ranks=_number(environment.get("LOCAL_WORLD_SIZE")),
        restart=_number(environment.get("TORCHELASTIC_RESTART_COUNT")),
        threads_asked=environment.get("OMP_NUM_THREADS"),
        words=_words(getattr(sys, "orig_argv", [])),
    )


def _words(command: list[str]) -> list[list[Any]]:
    """[name, checksum] of each of the script's arguments: whether ranks were given the same is to be known, and what it
    was is the user's own. Of a process that was spawned by the job nothing, as its words say how. A launcher may write the
    way to a file in another manner for each rank (Lightning does, of the script)."""
    if "-c" in command:
        return []
    named = (word.partition("=")[0] if word.startswith("-") else "" for word in command)
    meant = (os.path.realpath(word) if os.path.exists(word) else word for word in command)
    return [[name, crc32(word.encode(errors="replace"))] for name, word in zip(named, meant, strict=True)][1:]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _forked() -> None:
    """A forked child has its own files and starts from nothing; it announces itself when it has something to say."""
    try:
        state.restart()
        stuck.restart()
        job.fork(Spool(job.folder))
    except Exception:
        job.quiet()


def _ended() -> None:
    """At exit. The interpreter keeps the exception that ended the job here, whoever replaced `sys.excepthook`."""
    try:
        if job.forked:
            return
        error: Any = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        if error is not None:
            crash.note(error)  # first, as what follows takes memory
        job.finish()
        values: dict[str, Any] = {"error": None}
        if error is not None:
            frame = error.__traceback__
            where = user = None
            while frame is not None:
                where = [frame.tb_frame.f_code.co_filename, frame.tb_lineno]
                user = where if places.kind(where[0]) == "user" else user
                frame = frame.tb_next
            kind = type(error).__name__
            values = {
                "error": f"{kind}: {error}"[:500],
                "where": where,
                "user": user,
                "memory": crash.cause(error) is not None,
            }
            if hasattr(error, "error_pid"):  # of `torch.multiprocessing.spawn`, in the process that called it
                job.spool.event("failed", pid=error.error_pid, code=getattr(error, "exit_code", 1))
        job.spool.event("end", **values)
    except Exception:
        job.quiet()


def _torch(torch: Any) -> None:
    from .hooks import install

    install(torch)


def _tensorflow(tensorflow: Any) -> None:
    from .tensorflow import install

    install(tensorflow)


def _keras(keras: Any) -> None:
    from .keras import install

    install(keras)


def _jax(jax: Any) -> None:
    from .jax import install

    install(jax)
