"""Light steps: of a job whose steps are short, most are only counted.

Timing a step costs about 30 microseconds when the code for it is out of the caches, which is nothing in a step of
10 ms and 6% of one of half a millisecond. When the windows are over and enough steps were timed, a job with short
steps is timed in blocks, with light steps between them: for those only the end is written down. The other hooks
let everything pass, because the current state is then none that they start from.
"""

from . import job, schedule, state

FIRST, TIMED, LIGHT = 256, 32, 224
"""Turns that are timed before the first light one; then in turn so many timed, so many light."""
SHORT_NS = 4_000_000
"""Steps longer than this are always timed."""
NEVER = 1 << 60

on = False
_left = 0
_since = 0


def timed(now: int) -> bool:
    """At the end of a timed step, once the windows are over. True if the next is to be light."""
    global _left, _since
    if not _since:
        _since, _left = now, FIRST * schedule.turn_length()
    _left -= 1
    if _left > 0:
        return False
    if _since > 0:  # the first time
        short = now - _since < FIRST * SHORT_NS
        _since = -1
        if not short:
            _left = NEVER
    return _left <= 0


def begin() -> None:
    from .hooks import distributed, module

    global on, _left
    if module.inside or distributed.syncing:  # a trainer that is itself a module; ranks that wait for each other
        _left = NEVER
        return
    on, _left = True, LIGHT * schedule.turn_length()
    module.inside = True
    state.to(state.BACKWARD)


def boundary(now: int, who: int) -> None:
    """The end of a light step."""
    global _left
    schedule.steady += 1
    job.spool.light(now, job.UPDATE, who, job.LIGHT)
    _left -= 1
    if _left <= 0:
        stop()


def stop() -> None:
    """The next steps are timed."""
    global on, _left
    if on:
        from .hooks import module

        on = module.inside = False
        _left = TIMED * schedule.turn_length()
        state.to(state.TAIL)
        job.discard()


def off() -> None:
    """In a forked child: never again."""
    global _left, _since
    stop()
    _left, _since = NEVER, -1
