"""Checkpoints are copied, and written by a thread while the loop goes on."""

from __future__ import annotations

import atexit
import copy
import functools
import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "async-checkpoint"
CLASS = "exact"
TEXT = {
    "en": (
        "Checkpoints are written by a background thread, from a copy",
        "The same files. A copy of one checkpoint is in memory until it is written. A job that is killed right after a "
        "save may leave that file incomplete, and an error in writing shows at the next save.",
    ),
    "zh": (
        "由后台线程从副本写检查点",
        "文件相同。写完之前，内存里多一份检查点副本。刚保存就被杀死的作业可能留下不完整的文件；写入错误在下一次保存时才出现。",
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


class Writer:
    """One file at a time: the next save waits for the one before it, so there is never more than one copy."""

    def __init__(self, save: Any) -> None:
        self.save = save
        self.thread: threading.Thread | None = None
        self.path = ""
        self.error: BaseException | None = None

    def write(self, value: Any, path: str, rest: tuple[Any, ...], named: dict[str, Any]) -> None:
        try:
            self.save(value, path, *rest, **named)
        except BaseException as error:
            self.error = error

    def wait(self) -> None:
        thread = self.thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
            self.thread = None

    def touched(self, event: str, args: tuple[Any, ...]) -> None:
        """The script is about to look at a file, and might look at this one."""
        if self.thread is None or event not in TOUCHES or threading.current_thread() is self.thread:
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
        writer.wait()
        error, writer.error = writer.error, None
        if error is not None:
            raise error
        # What it complains of (a missing folder, a full disk) it should complain of here and now.
        if isinstance(f, (str, os.PathLike)) and os.access(os.path.dirname(os.path.abspath(f)), os.W_OK):
            try:
                mine = copy.deepcopy(obj)
                path = os.path.abspath(os.fspath(f))
                with open(path, "ab"):
                    pass  # it is there, as it would be
                writer.path = path
                writer.thread = within.thread(writer.write, mine, path, args, kwargs, daemon=False)
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
        os.register_at_fork(after_in_child=lambda: setattr(writer, "thread", None))

    def last() -> None:
        writer.wait()
        if writer.error is not None:
            traceback.print_exception(writer.error)

    atexit.register(last)


def by_hand(value: bool) -> str:
    return "threading.Thread(target=torch.save, args=(copy.deepcopy(state), path)).start()"
