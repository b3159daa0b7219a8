"""Finds the best rate that any of several candidates reaches, in a bounded time, on a machine that is not quiet.

A ceiling is what the machine can do, so each figure is that of the fastest candidate's fastest call. Heats try
everybody once; the rest of the time goes to those that can still win, in turns spread over all of it, so that a
burst of somebody else's work spoils one turn and not a figure.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Call = Callable[[], object]
HEAT, TURN = 0.01, 0.025
"""Seconds of a candidate's first and of its later turns."""
BATCH = 5e-5
"""Seconds: calls shorter than this are timed together, so that reading the clock does not count."""
SLOWEST = 0.3
"""Seconds: what takes longer the first time has no kernel here, and is not tried again."""
LONGEST = 0.12
"""Seconds: a call that would take longer, at the best rate so far, is left out."""
CONTENDERS, BEHIND = 2, 0.75
"""Finals are for so many candidates of a figure, and only if they reach so much of the best rate."""


@dataclass(kw_only=True)
class Candidate:
    figure: str
    """What it competes for: `product float32`."""
    work: float
    """Operations or bytes of one call."""
    make: Callable[[], Call]
    """Allocates what it needs, and returns what is timed."""
    seconds: float = math.inf
    """Its fastest call so far; infinite if it failed or was not tried."""

    @property
    def rate(self) -> float:
        return self.work / self.seconds


def race(candidates: Sequence[Candidate], budget: float) -> dict[str, float]:
    """The best rate for each figure that at least one candidate could be run for, in work per second.

    Takes `budget` seconds, or longer if a first turn for every figure does. Candidates for one figure come in
    ascending order of their work: those that would take too long, by what the ones before them reached, are left out.
    """
    deadline = time.perf_counter() + budget
    fields: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        fields.setdefault(candidate.figure, []).append(candidate)
    for heat in range(max(map(len, fields.values()), default=0)):
        for field in fields.values():
            late = time.perf_counter() > deadline and max(c.rate for c in field) > 0
            if heat < len(field) and not late and _worth_trying(field[heat], field[:heat]):
                _take_turn(field[heat], HEAT)
    running = True
    while running and time.perf_counter() < deadline:
        running = False
        for field in fields.values():
            for candidate in _contenders(field):
                if time.perf_counter() < deadline:
                    running = True
                    _take_turn(candidate, TURN)
    best = {figure: max(c.rate for c in field) for figure, field in fields.items()}
    return {figure: rate for figure, rate in best.items() if rate > 0}


def _worth_trying(candidate: Candidate, before: Sequence[Candidate]) -> bool:
    best = max((c.rate for c in before), default=0.0)
    return best == 0.0 or candidate.work / best < LONGEST


def _contenders(field: Sequence[Candidate]) -> list[Candidate]:
    able = sorted((c for c in field if c.rate > 0), key=lambda c: -c.rate)[:CONTENDERS]
    return [c for c in able if c.rate > BEHIND * able[0].rate]


def _take_turn(candidate: Candidate, seconds: float) -> None:
    """A turn of about so many seconds. What this machine or this build of torch cannot do stays at rate 0."""
    try:
        call = candidate.make()
        first = timed(call, 1)
        candidate.seconds = min(candidate.seconds, fastest(call, seconds) if first < SLOWEST else math.inf)
    except (RuntimeError, TypeError, AttributeError, NotImplementedError, MemoryError):
        return


def fastest(call: Call, seconds: float) -> float:
    """Seconds of the fastest call in about so many seconds of trying: one call at least, or batches of them."""
    once = timed(call, 1)
    if once > seconds:
        return once
    batch = max(1, min(1000, int(BATCH / max(once, 1e-7))))
    best, deadline = once, time.perf_counter() + seconds
    while True:
        best = min(best, timed(call, batch) / batch)
        if time.perf_counter() >= deadline:
            return best


def timed(call: Call, count: int) -> float:
    """Seconds of `count` calls: of the host's clock, or of the device's own events where there is one."""
    if not torch.cuda.is_available():
        began = time.perf_counter()
        for _ in range(count):
            call()
        return time.perf_counter() - began
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(count):
        call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3
