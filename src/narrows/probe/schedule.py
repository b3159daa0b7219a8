"""When to look deeply: never at the start, never for long, and never in a child that was forked.

The job's first boundaries are watched until their times settle. Then short windows open and close, with
undisturbed steps between them: `lines` (which source line the gaps go to), `ops` (which ops, with which shapes, and
how long each) and `values` (zeros, denormals, padding). After that the job runs undisturbed to its end.
"""

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from . import agreed, bursts, job, pages, places

SETTLED = 0.15
"""Two halves of the last boundaries differ by less than this: the steady state. Set from the noise of a shared
2-core machine, where medians of 4 steps differ by up to 10%."""
LONGEST_WARMUP = 48
SHORTEST_WARMUP_NS = 250_000_000
"""Or so many boundaries. In less, bursts that come back every dozen steps would not be seen."""
COMPARED, FEW = 8, 4
"""Boundaries in the two halves; few where four of them are longer than `UNHURRIED_NS`: a job that plays or
accumulates for seconds before each update has few of them."""
UNHURRIED_NS = 1_000_000_000
PLAN = ("alone", "lines", "ops", "lines", "ops", "alone", "values", "lines", "ops", "alone", "lines", "ops", "alone")
AGAIN = ("lines", "ops", "alone", "values")
LATER = 3
"""After so many times as many steps as until the last window closed, these open again, and so on: a job changes (its
sequences grow, a policy learns), and what was seen at its start does not stand for all of it."""
TURNS = {"values": 1, "alone": 6}
"""Steps that a window is open; of the others 2."""
LONG_STEP_NS = 1_500_000_000
"""Steps longer than this are looked at half as often: a deep step costs up to 4 plain ones."""
HALF = 7
"""Windows of the plan that are opened even then."""
ASK_NS = 20_000_000
"""Between two looks for the file that ends a trial: a look costs 2 microseconds."""
LOOK_BACK, LONGEST_WINDOW = 256, 64
"""Boundaries: where time comes in bursts, a window is open from one to the next."""
MANY = 8
"""Windows longer than this are opened half as often, too."""

PATIENCE = 50
"""Times as many model calls as steps were asked for, a job that has made an optimizer may make before its first update."""
STAGES = 3
"""Times that the first plan is gone through again, for another stage of the job."""

kinds: dict[str, Callable[[], Any]] = {}
"""Filled by `windows/`: each makes an object with `open()` and `close(steps)`."""

steady = 0
"""Undisturbed steps since the times settled."""
due = True
enough = False

_history: list[tuple[int, int]] = []
_previous = 0
_began = 0
_turn = 1
_left = 0
_next = 0
_open: Any = None
_settled = False
_plan: tuple[str, ...] = PLAN
_again = 0
_planned = False
"""The first plan is done."""
_renewed = 0
_most_steps = 0
_most_ns = 0
_until = ""
_asked = 0
_kind = 1
_off = False
will_train = False
"""The job has made an optimizer: what it calls its model for before the first update (a rollout) are no steps."""
quiet = False
"""The windows are over, and nothing but the job's end is waited for."""


def settings(steps: int, seconds: float, *, shallow: bool = False, until: str = "") -> None:
    """Stop the job after so many steady steps or seconds, 0 means never, or once the file `until` is there. `shallow`:
    no window is ever opened."""
    global _most_steps, _most_ns, _plan, _planned, _until
    _most_steps, _most_ns, _until = steps, int(seconds * 1e9), until
    if shallow:
        _plan, _planned = (), True


def told() -> None:
    """What the parent says of when to stop."""
    said = job.settings.get
    until = os.path.join(job.folder, "end") if said("held") else ""
    settings(int(said("steps", "0")), float(said("seconds", "0")), shallow=said("plan") == "none", until=until)


def turn_length() -> int:
    """Boundaries in a step."""
    return _turn


def off() -> None:
    global _off, due, _open
    _off, due, _open = True, False, None


def count(kind: int, who: int, now: int, disturbed: bool) -> None:
    """Note a boundary. Called at each one, so it does little."""
    global steady, enough, _previous, _began, _left, due, _kind, _asked
    if quiet and kind >= _kind:
        steady += 1
        if steady >= _again:
            wake()
        return
    if kind < _kind:
        # The first update: the job trains, and the model calls before it say nothing of its steps.
        _kind, steady = kind, 0
        _anew()
    if not _settled:
        _history.append((who, now - _previous if _previous else 0))
    elif not disturbed:
        steady += 1
    _previous = now
    if not _began:
        _began = now
    _left -= 1
    due = _left <= 0 and not _off
    wanted = _most_steps * _turn * (PATIENCE if kind and will_train else 1)
    if (wanted and steady >= wanted and _planned) or (_most_ns and now - _began > _most_ns):
        enough = True
    elif _until and now - _asked > ASK_NS:
        _asked = now
        enough = os.path.exists(_until)
    if agreed.path and (_most_steps or _most_ns or _until):
        enough = agreed.over(enough, agreed.AHEAD * _turn)


def turn(now: int) -> None:
    """Open or close a window, when one is due."""
    global _left, _next, _open, _settled, _turn, _again, _planned, due, quiet
    if _open is not None:
        close()
        _left = 4 * _turn
        return
    if not _settled:
        if not _steady_enough():
            return
        _settled = True
        places.learning = False
        _turn = _period([who for who, _ in _history])
        job.spool.event("settled", boundaries=job.spool.boundaries, turn=_turn, faults=pages.faults())
        job.spool.event("sites", sites=places.known_sites())
    if _next >= len(_plan):
        due, _left, _planned = False, 1 << 60, True
        _again = LATER * max(steady, 1) if _plan else 1 << 60
        # From here on there is nothing to do at a boundary, unless the job is to be stopped at some point.
        quiet = not _most_steps and not _most_ns and not _until
        return
    name = _plan[_next]
    _next += 1
    make = kinds.get(name)
    if make is None:
        return
    typical = sorted(ns for _, ns in _history[-4:])[len(_history[-4:]) // 2]
    long = typical * _turn > LONG_STEP_NS
    apart = _apart() if name in ("lines", "ops") else 1
    if (long or apart > MANY) and _next > HALF:
        return
    window = make()
    if window.open():
        _open = window
        _left = max(apart, _turn * (1 if long else TURNS.get(name, 2)))


def _apart() -> int:
    """Boundaries from one burst to the next."""
    seen = job.spool.recent(LOOK_BACK)
    durations = [None if flags & job.DISTURBED else b - a for (a, _), (b, flags) in pairwise(seen)]
    return min(LONGEST_WINDOW, bursts.period(durations))


def wake() -> None:
    """Some windows open again."""
    _begin(AGAIN)


def renew() -> None:
    """Another optimizer begins: once the job has settled, that may be another stage of it, with steps of its own."""
    global _renewed
    if not _settled or not _plan or _off or _renewed >= STAGES:
        return
    _renewed += 1
    _anew()


def _anew() -> None:
    """The times are to settle again, and then the plan is gone through from its start."""
    global _settled, _planned
    _history.clear()
    places.learning = True
    _settled, _planned = False, not _plan
    _begin(_plan and PLAN)


def _begin(plan: tuple[str, ...]) -> None:
    global _plan, _next, _left, due, quiet
    _plan, _next, _left, due, quiet = plan, 0, 0, not _off, False


def is_open() -> bool:
    return _open is not None


def close() -> None:
    """Close the window that is open, if any."""
    global _open
    if _open is not None:
        window, _open = _open, None
        window.close()


def _steady_enough() -> bool:
    """Enough was seen, and the last boundaries (or turns) fall into two halves with nearly the same median."""
    if len(_history) >= LONGEST_WARMUP or (len(_history) > FEW and _previous - _began > 20_000_000_000):
        return True
    compared = FEW if sum(ns for _, ns in _history[-FEW:]) > UNHURRIED_NS else COMPARED
    if len(_history) <= compared or _previous - _began < SHORTEST_WARMUP_NS:
        return False
    times = [ns for _, ns in _history[-compared:]]
    early, late = _middle(times[: compared // 2]), _middle(times[compared // 2 :])
    return abs(early - late) <= SETTLED * max(early, late)


def _middle(times: list[int]) -> int:
    """Twice the median of an even number of them."""
    half = len(times) // 2
    return sum(sorted(times)[half - 1 : half + 1])


def _period(sequence: list[int]) -> int:
    """The shortest repeating run of optimizers (or models) at the end of the sequence; 1 if none is seen."""
    for length in range(1, len(sequence) // 2 + 1):
        if sequence[-length:] == sequence[-2 * length : -length] and (
            length == len(set(sequence)) or len(set(sequence[-length:])) == len(set(sequence))
        ):
            return length
    return 1
