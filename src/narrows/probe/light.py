"""Light steps: of a job whose steps are short, most are only counted.

Timing a step costs about 30 microseconds when the code for it is out of the caches, which is nothing in a step of
10 ms and 6% of one of half a millisecond. When the windows are over and enough steps were timed, a job with short
steps is timed in blocks, with light steps between them: for those only the end is written down. What can be taken
off while they last is taken off; the other hooks let everything pass, because the current state is then none that
they start from.
"""

from itertools import pairwise
from typing import Any

from . import job, schedule, state

FIRST, TIMED, LIGHT = 256, 32, 480
"""Turns that are timed before the first light one; then in turn so many timed, so many light."""
SHORT_NS = 4_000_000
"""Steps longer than this are always timed."""
NEVER = 1 << 60
LONG = 2.0
"""A turn that takes more than this many typical ones holds something that is not done in each ..."""
BURSTS = 0.05
"""... and where those take more than this share of the time, all steps are timed: what a light one did is unknown."""

on = False
removable: list[tuple[Any, str, Any, Any]] = []
"""Hooks that light steps do without: where each is put, under which name, the hook, and what it replaced."""
_left = 0
_since = 0
_ends: list[int] = []
_typical = 0
_began = _last = _over = 0
"""Since the first light turn: when that was, the last turn's end, and the time that turns took above the typical."""


def timed(now: int) -> bool:
    """At the end of a timed step, once the windows are over. True if the next is to be light."""
    global _left, _since
    if not _since:
        _since, _left = now, FIRST * schedule.turn_length()
    if _since > 0:
        _ends.append(now)
    _left -= 1
    if _left > 0:
        return False
    if _since > 0:  # the first time
        _since = -1
        if now - _ends[0] >= FIRST * SHORT_NS or _bursts():
            _left = NEVER
    return _left <= 0


def _bursts() -> bool:
    """Whether much of the time of the first turns went to what only some of them do."""
    global _typical, _began
    ends = _ends[:: schedule.turn_length()]
    turns = [b - a for a, b in pairwise(ends)]
    _typical, _began = sorted(turns)[len(turns) // 2], _ends[-1]
    _ends.clear()
    over = sorted(t - _typical for t in turns if t > LONG * _typical)
    return sum(over[:-1]) > BURSTS * sum(turns)  # the longest may be the machine's doing


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
    if spent > LONG * _typical:
        _over += spent - _typical if _over else 1  # the first may be the machine's doing
        if _over > BURSTS * (now - _began):
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
