"""Light steps: of a job whose steps are short, most are only counted.

Timing a step costs about 30 microseconds when the code for it is out of the caches, which is nothing in a step of
10 ms and 6% of one of half a millisecond. When the windows are over and enough steps were timed, a job with short
steps is timed in blocks, with light steps between them: for those only the end is written down. What can be taken
off while they last is taken off; the other hooks let everything pass, because the current state is then none that
they start from.
"""

from itertools import pairwise
from typing import Any

from . import bursts, job, schedule, state

FIRST, TIMED, LIGHT = 256, 32, 480
"""Turns that are timed before the first light one; then in turn so many timed, so many light."""
SHORT_NS = 4_000_000
"""Steps longer than this are always timed."""
NEVER = 1 << 60

on = False
removable: list[tuple[Any, str, Any, Any]] = []
"""Hooks that light steps do without: where each is put, under which name, the hook, and what it replaced."""
_left = 0
_since = 0
_typical = 0
_began = _last = _over = 0
"""Since the first light turn: when that was, the last turn's end, and the time that turns took above the typical."""


def timed(now: int) -> bool:
    """At the end of a timed step, once the windows are over. True if the next is to be light."""
    global _left, _since
    if not _since:
        _since, _left = now, FIRST * schedule.turn_length()
    _left -= 1
    if _left > 0:
        return False
    if _since > 0:  # the first time
        long = now - _since >= FIRST * SHORT_NS
        _since = -1
        if long or _bursts(now):
            _left = NEVER
    return _left <= 0


def _bursts(now: int) -> bool:
    """Whether much of the time of the first turns went to what only some of them do."""
    global _typical, _began
    turn = schedule.turn_length()
    ends = [end for end, _ in job.spool.recent(FIRST * turn)][::turn]
    turns = [b - a for a, b in pairwise(ends)]
    _typical, _began = sorted(turns)[len(turns) // 2], now
    return bursts.excess(turns) > bursts.SHARE


def begin(now: int) -> None:
    from .hooks import distributed, module

    global on, _left, _last
    if module.inside or distributed.syncing:  # a trainer that is itself a module; ranks that wait for each other
        _left = NEVER
        return
    on, _left, _last = True, LIGHT * schedule.turn_length(), now
    module.inside = True
    for owner, name, hook, original in removable:
        if getattr(owner, name) is hook:  # else the job has put something of its own before it
            setattr(owner, name, original)
    state.to(state.BACKWARD)


def boundary(now: int, who: int) -> None:
    """The end of a light step."""
    global _left, _last, _over
    schedule.steady += 1
    job.spool.light(now, job.UPDATE, who, job.LIGHT)
    _left -= 1
    spent, _last = now - _last, now
    if spent > bursts.LONG * _typical:
        _over += spent - _typical if _over else 1  # the first may be the machine's doing
        if _over > bursts.SHARE * (now - _began):
            stop()
            _left = NEVER
            return
    if _left <= 0:
        stop()


def stop() -> None:
    """The next steps are timed."""
    global on, _left
    if on:
        from .hooks import module

        on = module.inside = False
        for owner, name, hook, original in removable:
            if getattr(owner, name) is original:
                setattr(owner, name, hook)
        _left = TIMED * schedule.turn_length()
        state.to(state.TAIL)
        job.discard()


def off() -> None:
    """In a forked child: never again."""
    global _left, _since
    stop()
    _left, _since = NEVER, -1
