"""Where the main thread stands when it has not moved for a while: of a rank that hangs, and of those that wait for it.

A thread of its own looks once a second, which takes 20 microseconds. It begins with the process group, whose backend has
threads of its own, so a job of one process never has it. While a C function keeps the interpreter's lock it sees nothing.
"""

import sys
import time
from _thread import start_new_thread

from . import job, light, places, state

LOOK = 1.0
"""Seconds."""
PATIENCE = 2.0
"""Seconds without a transition before the place is written down; then twice as long, and so on."""
LONGER = 3
"""Times as long as the longest wait that ended by itself is no more than usual: a step that is always long fills no disk."""

_begun = False


def begin() -> None:
    global _begun
    if not _begun:
        _begun = True
        start_new_thread(_watch, ())


def restart() -> None:
    """In a forked child, where the thread is not."""
    global _begun
    _begun = False


def _watch() -> None:
    usual, due, since, before = PATIENCE, PATIENCE, time.monotonic(), _moved()
    try:
        while True:
            time.sleep(LOOK)
            now, after = time.monotonic(), _moved()
            if after != before:
                if due > usual and before[0]:
                    usual = max(usual, LONGER * (now - since))
                due, since, before = usual, now, after
            elif now - since >= due:
                due *= 2
                job.spool.event(
                    "stuck",
                    seconds=round(now - since, 1),
                    state=state.now_in,
                    where=places.user(sys._current_frames().get(state.thread)),
                    updates=job.updates,
                )
    except Exception:  # the interpreter is ending
        return


def _moved() -> tuple[int, int, int]:
    return job.spool.boundaries, len(light.ends), state.last
