"""Ranks that are to stop early do it at the same update: one that stopped alone would leave the others in a collective.

The first that has seen enough says at which, in a file that the others look for at each boundary (2 microseconds, and only
where a stop was asked for). Ranks that exchange gradients are less than an update apart, so two ahead is in time for all.
"""

import os

from . import job

AHEAD = 2
"""Turns."""

path = ""
"""Of the file; empty in a job of one process."""
_stop_at = 0


def begin() -> None:
    global path
    path = os.path.join(job.folder, "stop")


def over(enough: bool, ahead: int) -> bool:
    """Whether to stop here. `enough`: this rank would; `ahead`: in so many updates all can."""
    global _stop_at
    if not path or not job.updates:
        return enough
    if not _stop_at:
        if enough and not _say(job.updates + ahead):
            return True
        _stop_at = _said()
    return 0 < _stop_at <= job.updates


def _say(update: int) -> bool:
    """Whole, and only if nobody was faster; False if it cannot be said."""
    part = f"{path}.{os.getpid()}"
    try:
        with open(part, "w") as file:
            file.write(str(update))
        os.link(part, path)
    except FileExistsError:
        pass
    except OSError:
        return False
    os.unlink(part)
    return True


def _said() -> int:
    try:
        with open(path) as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0
