"""Where the main thread's time goes: one clock, one current state, one sum for each state.

Every hook is two transitions. A transition reads the clock once and adds to one number: about 0.15 microseconds.
The numbers of the states are those of `narrows/spool/record.py`.
"""

from _thread import get_ident
from time import perf_counter_ns as clock

(TAIL, NEXT, PREPARE, FORWARD, LOSS, BACKWARD, POST, OPTIMIZER, TRANSFER, COMMUNICATION, ITER, EVALUATE, SAVE,
 WAIT, GRAPH, TRAINER, CALLBACK) = range(17)  # fmt: skip
STATES = 17
GAPS = frozenset((TAIL, PREPARE, LOSS, POST))
OUTER = frozenset((*GAPS, TRAINER, GRAPH))
"""Where a part of a step may begin in a job whose loop is Keras' own."""

ns = [0] * STATES
"""Time in each state since the last boundary."""
gap_ns = [0] * STATES
"""Time in each state since the start: the line window takes differences of it."""
now_in = TAIL
last = clock()
stack: list[int] = []
updating = 0
"""Optimizer steps that are open: more than 0 inside a closure too."""
thread = get_ident()
"""The thread that trains. Others are not timed: what they do shows as waiting, where something waits for it."""


def enter(state: int) -> None:
    global now_in, last
    now = clock()
    spent = now - last
    ns[now_in] += spent
    gap_ns[now_in] += spent
    last = now
    stack.append(now_in)
    now_in = state


def leave(gap: int) -> None:
    """Go to `gap`, unless the state began inside another one (a forward recomputed in a backward)."""
    global now_in, last
    now = clock()
    spent = now - last
    ns[now_in] += spent
    gap_ns[now_in] += spent
    last = now
    before = stack.pop() if stack else TAIL
    if before in GAPS:
        now_in = OPTIMIZER if updating and gap == POST else gap
    elif before == OPTIMIZER and gap == LOSS:
        now_in = LOSS  # in a closure: what follows the forward is the loss, not the update
    else:
        now_in = before


def touch() -> int:
    """Bring the sums up to now, and return it."""
    global last
    now = clock()
    spent = now - last
    ns[now_in] += spent
    gap_ns[now_in] += spent
    last = now
    return now


def to(state: int) -> None:
    """Go to a state and forget what was open."""
    global now_in
    touch()
    stack.clear()
    now_in = state


def restart() -> None:
    """In a forked child: nothing has happened yet, and this is its main thread."""
    global now_in, last, updating, thread
    ns[:] = [0] * STATES
    stack.clear()
    now_in, last, updating, thread = TAIL, clock(), 0, get_ident()
