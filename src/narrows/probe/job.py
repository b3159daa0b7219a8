"""What is known of the job so far, and what happens at a boundary.

A boundary is the end of an optimizer's update; before the first update (and in a job that never has one), the end
of an outermost model call. Which boundaries make a step is decided afterwards, from the whole sequence: here each
one is only written down.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from math import nan
from typing import Any

from . import light, pages, places, schedule, state
from .spool import Spool

UPDATE, CALL = 0, 1
DISTURBED, GRADIENTS, TRAINING, LIGHT = 1, 2, 4, 8

folder = ""
spool: Spool = None  # type: ignore[assignment]
settings: dict[str, str] = {}
forked = False
torch: Any = None

updates = 0
"""Optimizer updates so far: more than 0 means that the job trains."""
loss = nan
faults = 0
MOST_FAULTS = 20
"""Written down; a fault in each step must not fill the disk."""
flags = 0
samples = forwards = backwards = batches = 0
disturbed = False
"""Set by whatever makes this step cost more than it would."""
at_second_update: list[Callable[[], None]] = []
"""When all is there that the job keeps. That step is marked as disturbed."""
at_end: list[Callable[[], None]] = []


def install_each(package: str, path: Iterable[str], framework: Any) -> None:
    """Put each file of a folder of hooks in its place. One that fails is noted, and the rest still work."""
    for module in pkgutil.iter_modules(path):
        try:
            place = importlib.import_module(f"{package}.{module.name}")
            if hasattr(place, "install"):
                place.install(framework)
        except Exception as error:
            spool.event("fault", what=f"hook {module.name}: {error!r}")


def boundary(kind: int, who: int, at: int = 0, *, turn: bool = True) -> None:
    """The end of an update or of an outermost model call. Never raises, except to stop the job when asked to.

    `at`: when that was, if not now. `turn`: a window may open or close here.
    """
    global flags, samples, forwards, backwards, batches, disturbed
    try:
        now = at or state.touch()
        schedule.count(kind, who, now, disturbed)
        spool.boundary(
            now, kind, who, flags | disturbed, samples, forwards, backwards, batches, state.ns, loss, schedule.steady
        )
        state.ns[:] = _NOTHING
        flags = samples = forwards = backwards = batches = 0
        if not turn:
            return
        if schedule.due or disturbed:
            disturbed = schedule.is_open()
            if schedule.due:
                schedule.turn(now)
        elif schedule.quiet and kind == UPDATE and light.timed(now):
            light.begin(now)
    except Exception as error:
        quiet(error)
    if schedule.enough:
        schedule.enough = False
        finish()
        spool.event("stopped", boundaries=spool.boundaries)
        raise SystemExit(0)


_NOTHING = [0] * state.STATES


def boundaries(kind: int, who: int, count: int) -> None:
    """The end of several steps that were made in one call: each has its part of the time, which is all that is known."""
    if count > 1:
        now = state.touch()
        each = [spent // count for spent in state.ns]
        began = now - sum(state.ns)
        seen, again = flags, (samples // count, forwards // count, backwards // count, batches // count)
        for number in range(1, count):
            state.ns[:] = each
            _again(seen, again)
            boundary(kind, who, began + (now - began) * number // count, turn=False)
        state.ns[:] = each
        _again(seen, again)
    boundary(kind, who)


def _again(seen: int, sums: tuple[int, int, int, int]) -> None:
    global flags, samples, forwards, backwards, batches
    flags, (samples, forwards, backwards, batches) = seen, sums


def discard() -> None:
    """Forget what was summed up since the last boundary."""
    global flags, samples, forwards, backwards, batches, disturbed
    state.ns[:] = _NOTHING
    flags = samples = forwards = backwards = batches = 0
    disturbed = False


def early() -> None:
    """At the second update: what is written down in case the job is killed."""
    _call(at_second_update)


def _call(every: list[Callable[[], None]]) -> None:
    for call in every:
        try:
            call()
        except Exception as error:
            quiet(error)


def finish() -> None:
    """At the end of the process: what is only known then."""
    light.stop()
    schedule.close()
    spool.head(state.touch(), loss, schedule.steady)
    spool.event("sites", sites=places.known_sites())
    spool.event("pages", faults=pages.faults(), boundaries=spool.boundaries)
    _call(at_end)


def fork(fresh: Spool) -> None:
    global spool, forked, updates
    spool, forked, updates = fresh, True, 0
    discard()
    light.off()
    schedule.off()


def quiet(error: BaseException | None = None) -> None:
    """A fault of the probe: noted for the report, and otherwise as if nothing had happened."""
    global faults
    faults += 1
    if faults > MOST_FAULTS:
        return
    try:
        spool.event("fault", what=repr(error))
    except Exception:
        pass
