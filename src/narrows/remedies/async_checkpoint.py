"""Checkpoints are copied, and written by a thread while the loop goes on.

A file that is saved again and again, faster than it can be written, is not written each time: the thread rests between
two writes, and then writes what was saved last.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within
from .inside.snapshot import snapshot

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "async-checkpoint"
CLASS = "exact"
TEXT = {
    "en": (
        "Checkpoints are written by a background thread, from a copy",
        "The same files; of saves to one file in quick succession the last one is written. A copy of one checkpoint is in "
        "memory until it is written. A job that is killed right after a save may leave that file incomplete or as it was "
        "before, and an error in writing shows at the next save.",
    ),
    "zh": (
        "由后台线程从副本写检查点",
        "文件相同；短时间内多次保存到同一文件时，只写最后一次。写完之前，内存里多一份检查点副本。"
        "刚保存就被杀死的作业，文件可能不完整或仍是之前的内容；写入错误在下一次保存时才出现。",
    ),
}
PART = 0.6
"""Of a save, what the thread takes over: the copy remains, and it shares Python's lock with the loop."""
TOUCHES = frozenset((
    "open", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "os.listdir", "os.scandir", "os.rmdir",
    "os.chmod", "os.utime", "shutil.copyfile", "shutil.move", "shutil.rmtree", "subprocess.Popen", "os.system",
    "os.posix_spawn", "os.exec",
))  # fmt: skip
"""What Python says (`sys.addaudithook`) when a script may read, move or count files."""


def candidates(view: View) -> list[Candidate]:
    late = view.steps.timed(view.steady.first)
    spent = sum(s.state("save") for s in late) / len(late) / 1e9 if late else 0.0
    if view.cores < 2 or view.share(PART * spent) < 0.02:
        return []
    return [Candidate(value=True, seconds=PART * spent)]


REST, LONGEST_REST = 9.0, 1.0
"""Times as long as a write took, the thread rests after it: writing shares Python's lock with the loop, and so takes a
tenth of it at most. And seconds: a large file is not kept back for longer."""
Save = tuple[Any, str, tuple[Any, ...], dict[str, Any]]
"""(the copy, its path, other arguments of `torch.save`)."""


class Writer:
    """One file at a time: a save to another file waits for the one before it, so there is never more than one copy."""

    def __init__(self, save: Any) -> None:
        self.save = save
        self.error: BaseException | None = None
        self.forget()

    def forget(self) -> None:
        """In a forked child, the parent writes."""
        self.changed = threading.Condition(threading.RLock())
        self.waiting: Save | None = None
        self.writing: threading.Thread | None = None
        self.resting = False
        """There is a thread that will write what waits."""
        self.path = ""
        self.again = 0.0
        """Not before this moment."""

    def ready(self, path: str) -> None:
        """Makes room for another copy: what waits for the same file is not written any more."""
        with self.changed:
            if self.path == path:
                self.waiting = None
        self.wait()

    def put(self, save: Save) -> None:
        """Write it soon; `ready` comes first."""
        with self.changed:
            self._write()  # of another thread, that came between
            self.waiting, self.path = save, save[1]
            if not self.resting:
                self.resting = True
                within.thread(self._later, daemon=True)

    def wait(self) -> None:
        """Until all is written; what still waits is written here and now."""
        with self.changed:
            if self.writing is threading.current_thread():
                return
            self._write()

    def _later(self) -> None:
        with self.changed:
            while (left := self.again - time.monotonic()) > 0:
                self.changed.wait(left)
            self.resting = False
            self._write()

    def _write(self) -> None:
        """Called with the lock, and lets go of it meanwhile."""
        while self.writing is not None:
            self.changed.wait()
        if self.waiting is None:
            return
        (value, path, rest, named), self.waiting = self.waiting, None
        self.writing = threading.current_thread()
        self.changed.release()
        began = time.monotonic()
        try:
            self.save(value, path, *rest, **named)
        except BaseException as error:
            self.error = error
        finally:
            self.changed.acquire()
            self.writing = None
            now = time.monotonic()
            self.again = now + min(REST * (now - began), LONGEST_REST)
            self.changed.notify_all()

    def touched(self, event: str, args: tuple[Any, ...]) -> None:
        """The script is about to look at a file, and might look at this one."""
        if event not in TOUCHES or (self.waiting is None and self.writing is None):
            return
        name = args[0] if args else None
        if isinstance(name, str):
            if event == "open" and os.path.basename(name) != os.path.basename(self.path):
                return
            # An import looks into folders, too, with a lock held that the writer may want.
            if event in ("os.listdir", "os.scandir") and os.path.abspath(name) != os.path.dirname(self.path):
                return
        self.wait()


def apply(torch: Any, value: bool) -> None:
    original = torch.save
    writer = Writer(original)
    noted: list[bool] = []

    @functools.wraps(original)
    def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> Any:
        path = os.path.abspath(os.fspath(f)) if isinstance(f, (str, os.PathLike)) else ""
        writer.ready(path)
        error, writer.error = writer.error, None
        if error is not None:
            raise error
        # What it complains of (a missing folder, a full disk) it should complain of here and now.
        if path and os.access(os.path.dirname(path), os.W_OK):
            try:
                mine = snapshot(torch, obj)
                if not os.path.exists(path):
                    open(path, "ab").close()  # it is there, as it would be
                writer.put((mine, path, args, kwargs))
            except Exception as problem:
                within.fault(NAME, problem)
                return original(obj, f, *args, **kwargs)
            if not noted:
                noted.append(True)
                within.note(NAME)
            return None
        return original(obj, f, *args, **kwargs)

    torch.save = torch.serialization.save = save
    sys.addaudithook(writer.touched)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=writer.forget)

    def last() -> None:
        writer.wait()
        if writer.error is not None:
            traceback.print_exception(writer.error)

    atexit.register(last)


def by_hand(value: bool) -> str:
    return "threading.Thread(target=torch.save, args=(copy.deepcopy(state), path)).start()"
