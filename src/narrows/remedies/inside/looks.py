"""The moments at which a script, or another process, may look at a file that is written later: it is written before that.

Python says of most of them (`sys.addaudithook`). Of the rest the functions are replaced, as far as they can be.
"""

from __future__ import annotations

import atexit
import functools
import genericpath
import multiprocessing.process
import os
import sys
import traceback
from os import stat as look_at
from typing import Any

from . import within
from .writer import Writer

TOUCHES = frozenset((
    "open", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "os.listdir", "os.scandir", "os.rmdir",
    "os.chmod", "os.utime", "shutil.copyfile", "shutil.move", "shutil.rmtree", "subprocess.Popen", "os.system",
    "os.posix_spawn", "os.exec", "os.fork", "os.forkpty",
))  # fmt: skip
"""What Python says when a script may read, move or count files, or another process begins that may."""
ONLY_THERE = tuple(
    each.__code__ for each in (genericpath.exists, genericpath.isfile, genericpath.isdir) if hasattr(each, "__code__")
)
"""They ask whether a file is there, and it is."""
TOGETHER = (
    "barrier", "monitored_barrier", "broadcast_object_list", "scatter_object_list", "gather_object", "all_gather_object",
)  # fmt: skip
"""Of `torch.distributed`, in no compiled graph: after these another rank may read what this one has saved."""
LOADER = os.path.join("torch", "utils", "data", "dataloader.py")


def watch(torch: Any, writer: Writer) -> None:
    def touched(event: str, args: tuple[Any, ...]) -> None:
        if event in TOUCHES and writer.busy() and _may_be(writer, event, args[0] if args else None):
            writer.settle()

    sys.addaudithook(touched)
    os.stat, os.lstat = _status(os.stat, writer), _status(os.lstat, writer)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=writer.forget)

    def settle(*_: Any, **__: Any) -> None:
        if writer.busy():
            writer.settle()

    def begins(*_: Any, **__: Any) -> None:
        if writer.busy() and not _by_a_loader():
            writer.settle()

    within.watch(multiprocessing.process.BaseProcess, "start", begins)
    parallel = getattr(torch, "distributed", None)
    for place in (parallel, getattr(parallel, "distributed_c10d", None)):
        for name in TOGETHER:
            if hasattr(place, name):
                within.watch(place, name, settle)
    _at_the_end(writer)


def _may_be(writer: Writer, event: str, name: Any) -> bool:
    if event in ("os.fork", "os.forkpty"):
        return not _by_a_loader()
    if isinstance(name, str):
        if event == "open":
            return writer.is_it(name)
        # An import looks into folders, too, with a lock held that the writer may want.
        if event in ("os.listdir", "os.scandir"):
            try:
                return os.path.samestat(look_at(name), look_at(os.path.dirname(writer.path)))
            except (OSError, ValueError):
                return False
    return True


def _by_a_loader() -> bool:
    """A loader's workers begin: they make batches, and read no checkpoint."""
    frame = sys._getframe(1) if hasattr(sys, "_getframe") else None
    while frame is not None and not frame.f_code.co_filename.endswith(LOADER):
        frame = frame.f_back
    return frame is not None


def _status(original: Any, writer: Writer) -> Any:
    """Of `os.stat`, which says how large a file is (`os.path.getsize`, `Path.stat`), and of which Python says nothing."""

    @functools.wraps(original)
    def status(*args: Any, **kwargs: Any) -> Any:
        if writer.busy() and sys._getframe(1).f_code not in ONLY_THERE:
            if writer.is_it(args[0] if args else kwargs.get("path")):
                writer.settle()
        return original(*args, **kwargs)

    for able in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        if original in able:
            able.add(status)
    return status


def _at_the_end(writer: Writer) -> None:
    """The last file is written before the job ends, and it does not end well if that fails."""

    def failed() -> bool:
        writer.wait()
        if writer.error is None:
            return False
        traceback.print_exception(writer.error)
        writer.error = None
        return True

    def last() -> None:
        if failed() and sys.stderr is not None:
            sys.stderr = Spoilt(sys.stderr)

    original = os._exit

    @functools.wraps(original)
    def _exit(status: int) -> Any:
        try:
            unwritten = failed()
            status = status or int(unwritten)
        finally:
            original(status)

    atexit.register(last)
    os._exit = _exit


class Spoilt:
    """Standard error at the end of a job whose last file could not be written.

    Nothing that is raised then reaches the exit code. But where Python cannot flush this, it ends with 120.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def flush(self) -> None:
        self._stream.flush()
        raise OSError("a file that was saved last could not be written")
