"""A file that a thread writes later, and what must not notice. Standard library only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from os import stat as look_at
from typing import Any

from . import within

REST, LONGEST_REST = 9.0, 1.0
"""Times as long as a write took, the thread rests after it: writing shares Python's lock with the loop, and so takes a
tenth of it at most. And seconds: a large file is not kept back for longer."""
Save = tuple[Any, str, tuple[Any, ...], dict[str, Any]]
"""(the copy, its path, other arguments of `torch.save`)."""


class Writer:
    """One file at a time: a save to another file waits for the one before it, so there is never more than one copy."""

    def __init__(self, save: Callable[..., Any]) -> None:
        self.save = save
        self.error: Exception | None = None
        self.forked = False
        """In a forked child saves are what they were: it may end without a last word."""
        self._start()

    def _start(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.waiting: Save | None = None
        self.writing: threading.Thread | None = None
        self.resting = False
        """There is a thread that will write what waits."""
        self.path = ""
        self.saved_by = 0
        """The thread that is told of an error: other threads of the script have not saved anything."""
        self.again = 0.0
        """Not before this moment."""

    def forget(self) -> None:
        """In a forked child, the parent writes."""
        self.error, self.forked = None, True
        self._start()

    def busy(self) -> bool:
        """A file is not what the script thinks it is. Not to the one that writes it, which may look at it."""
        writing = self.writing
        return self.waiting is not None or (writing is not None and writing is not threading.current_thread())

    def is_it(self, name: Any) -> bool:
        """Whether a name, or a number of an open file, may be that of the file, by whatever link."""
        try:
            if not isinstance(name, int):
                name = os.fsdecode(name)
                if os.path.basename(name) == os.path.basename(self.path):
                    return True
            return os.path.samestat(look_at(name), look_at(self.path))
        except (OSError, TypeError, ValueError):
            return False

    def ready(self, path: str) -> None:
        """Makes room for another copy: what waits for the same file is not written any more."""
        with self.changed:
            if self.path == path:
                self.waiting = None
        self.settle()

    def put(self, save: Save) -> None:
        """Write it soon; `ready` comes first."""
        with self.changed:
            self._write()  # of another thread, that came between
            self.waiting, self.path, self.saved_by = save, save[1], threading.get_ident()
            if not self.resting:
                self.resting = True
                within.thread(self._later, daemon=True)

    def settle(self) -> None:
        """Wait until all is written, and raise what that raised, as the save itself would have done."""
        self.wait()
        if self.error is not None and threading.get_ident() == self.saved_by:
            error, self.error = self.error, None
            raise error

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
        except Exception as error:
            self.error = error
        finally:
            self.changed.acquire()
            self.writing = None
            now = time.monotonic()
            self.again = now + min(REST * (now - began), LONGEST_REST)
            self.changed.notify_all()
