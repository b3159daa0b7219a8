"""One group of trials on a machine of a cluster: `python -m narrows.trials.group`, a process of its own.

What to run comes on its standard input, which stays open for as long as somebody wants the answer. When it is closed
(the task was cancelled, its worker was killed, narrows or the cluster is gone), the trials are ended and their folder
is removed: nobody else would do it. The answer goes to its standard output.
"""

import os
import pickle
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from narrows.job import tree
from narrows.trials.arm import Arm
from narrows.trials.rounds import Result
from narrows.trials.setting import Setting, remove
from narrows.trials.trial import interrupt, together


def main() -> None:
    if (given := asked()) is not None:
        name, how, arms = given
        pickle.dump(answer(Path(tempfile.gettempdir(), name), how, arms), sys.stdout.buffer)


def asked() -> Any:
    """What to run; None in the process that only waits. What has come from here on raises `KeyboardInterrupt` once nobody
    wants the answer."""
    as_started_by_hand()
    child = os.fork()
    if child:  # Ray kills the children of a worker that ends; that must not be the one that cleans up
        os.waitpid(child, 0)
        return None
    signal.signal(signal.SIGTERM, interrupt)
    given = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_watch, daemon=True).start()
    return given


def as_started_by_hand() -> None:
    """Workers of Ray hold interrupts back and are nice to others: a job that is measured does not, nor is it."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except OSError:
        pass  # not allowed here; it is the same for all trials of the group


def answer(folder: Path, how: Setting | None, arms: Sequence[Arm]) -> Sequence[Result]:
    """Of trials that are run in this folder; without a setting, what groups before have left in it is removed."""
    wanted = False
    try:
        if how is None:
            return []
        folder.mkdir(mode=0o700, exist_ok=True)
        found = together(replace(how, folder=folder), arms)
        wanted = True  # and so is what compilers have made, by the next group
        return found
    except KeyboardInterrupt:
        return []
    finally:
        if not wanted:
            tree.kill_below(os.getpid())
            remove(folder)


def _watch() -> None:
    if not os.read(0, 1):
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
