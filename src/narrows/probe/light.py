"""Light steps: of a job whose steps are short, most are only counted.

Timing a step costs about 30 microseconds when the code for it is out of the caches, which is nothing in a step of
10 ms and 6% of one of half a millisecond. When the windows are over and enough steps were timed, a job with short
steps is timed in blocks, with light steps between them: for those only the end is written down, of several at a time.
What can be taken off while they last is taken off; the other hooks let everything pass, because the current state is
then none that they start from.
"""

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter_ns
from typing import Any

from . import bursts, job, schedule, state

FIRST, TIMED, LIGHT = 256, 32, 992
"""Turns that are timed before the first light one; then in turn so many timed, so many light."""
SHORT_NS = 4_000_000
"""Steps longer than this are always timed."""
NEVER = 1 << 60
GATHERED = 32
"""Ends that are kept before they are written down. A job that is killed loses no more than these."""

on = False
ends: list[int] = []
"""In turn the end of a light step, and the id of the optimizer that made it."""
identify: Callable[[int], int] = lambda optimizer: 0  # noqa: E731
"""From an optimizer's id to its number, -1 - number of one that was not there before; `hooks/optimizer.py` sets it."""
switches: list[Callable[[bool], None]] = []
"""Called with True when light steps begin, with False when they end."""
removable: list[tuple[Any, str, Any, Any]] = []
"""Hooks that light steps do without: where each is put, under which name, the hook, and what it replaced."""
_left = 0
_since = 0
_first = FIRST
"""Turns that are timed before it is asked (again) whether there may be light ones."""
_typical = 0
_began = _last = _over = 0
"""Since the first light turn: when that was, the last turn's end, and the time that turns took above the typical."""


def timed(now: int) -> bool:
    """At the end of a timed step, once the windows are over. True if the next is to be light."""
    global _left, _since, _first
    if not _since:
        _since, _left = now, _first * schedule.turn_length()
    _left -= 1
    if _left > 0:
        return False
    if _since > 0:  # not decided yet
        if now - _since >= _first * SHORT_NS:
            _since, _left = -1, NEVER
        elif _bursts(now):
            # The job's own, or those of other programs: asked again, after twice as many.
            _since, _first = 0, 2 * _first
            return False
        else:
            _since = -1
    return _left <= 0


def _bursts(now: int) -> bool:
    """Whether much of the time of the first turns went to what only some of them do."""
    global _typical, _began
    turn = schedule.turn_length()
    ends = [end for end, _ in job.spool.recent(_first * turn)][::turn]
    turns = [b - a for a, b in pairwise(ends)]
    _typical, _began = sorted(turns)[len(turns) // 2], now
    return bursts.excess(turns) > bursts.SHARE


def begin(now: int) -> None:
    from .hooks import distributed, module

    global on, _left, _last
    if module.inside or distributed.ranked:  # a trainer that is itself a module; ranks that wait for each other
        never()
        return
    on, _left, _last = True, LIGHT * schedule.turn_length(), now
    module.inside = True
    for owner, name, hook, original in removable:
        if getattr(owner, name) is hook:  # else the job has put something of its own before it
            setattr(owner, name, original)
    for switch in switches:
        switch(True)
    state.to(state.BACKWARD)


def hook(clock: Callable[[], int] = perf_counter_ns) -> Callable[[Any, Any, Any], None]:
    """What is called after each light step. Between two steps its code and its data leave the caches, so what it touches
    is what it costs: names of a closure, 2 microseconds; names of a module, 5."""
    gathered, append, most = ends, ends.append, 2 * GATHERED

    def ended(optimizer: Any, args: Any, kwargs: Any) -> None:
        append(clock())
        append(id(optimizer))
        if len(gathered) >= most:
            flush()

    return ended


def flush() -> None:
    """Write down the light steps that have ended, and end them all where it is time to."""
    global _left, _last, _over
    try:
        passed, ends[:] = ends[:], []
        count = len(passed) // 2
        schedule.steady += count
        job.updates += count
        _left -= count
        fresh = False
        for end, optimizer in zip(passed[::2], passed[1::2], strict=True):
            who = identify(optimizer)
            if who < 0:
                fresh, who = True, -1 - who
            job.spool.light(end, job.UPDATE, who, job.LIGHT)
            spent, _last = end - _last, end
            if spent > bursts.LONG * _typical:
                _over += spent - _typical if _over else 1  # the first may be the machine's doing
        if passed and _over > bursts.SHARE * (_last - _began):
            stop()
            never()
        elif _left <= 0 or fresh:
            stop()
    except Exception as error:
        job.quiet(error)


def stop() -> None:
    """The next steps are timed."""
    global on, _left
    if on:
        from .hooks import module

        on = module.inside = False
        for owner, name, hook, original in removable:
            if getattr(owner, name) is original:
                setattr(owner, name, hook)
        for switch in switches:
            switch(False)
        flush()
        _left = TIMED * schedule.turn_length()
        state.to(state.TAIL)
        job.discard()


def never() -> None:
    """No step is light from here on."""
    global _left, _since
    stop()
    _left, _since = NEVER, -1


def off() -> None:
    """In a forked child: never again. What its parent has not written down yet is its parent's."""
    ends.clear()
    never()
