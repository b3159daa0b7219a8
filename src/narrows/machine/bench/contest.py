"""Finds the best rate that any of several candidates reaches, in a bounded time, on a machine that is not quiet.

A ceiling is what the machine can do, so each figure is that of the fastest candidate's fastest call. Heats try
everybody once; the rest of the time goes to those that can still win, in turns spread over all of it, so that a
burst of somebody else's work spoils one turn and not a figure.
"""

import glob
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
FEWEST = 4
"""Timings in a turn of short calls: after a stall the threads have their cores for a while."""
CONTENDERS = 2
"""Finals are for so many candidates of a figure."""
BUSY = 0.05
"""Share of the time spent waiting for a core from which on a machine is not quiet."""


@dataclass(kw_only=True)
class Candidate:
    figure: str
    """What it competes for: `product float32`."""
    work: float
    """Operations or bytes of one call."""
    make: Callable[[], Call]
    """Allocates what it needs, and returns what is timed."""
    threads: int = 0
    """0: as many as were asked for. One thread waits for no other: on a busy machine, where those of a parallel region
    seldom have their cores at the same time, it is what keeps a ceiling from being far too low."""
    seconds: float = math.inf
    """Its fastest call so far; infinite if it failed or was not tried."""

    @property
    def rate(self) -> float:
        return self.work / self.seconds


def race(candidates: Sequence[Candidate], budget: float, extra: float = 0.0) -> tuple[dict[str, float], float]:
    """(the best rate for each figure in work per second, share of the time spent waiting for a core).

    A figure is there if at least one candidate could be run. Takes `budget` seconds, or longer if a first turn for
    every figure does, and `extra` more if the machine is busy. Candidates for one figure come in ascending order of
    their work: those that would take too long, by what the ones before them reached, are left out.
    """
    began, waited = time.perf_counter(), waiting()
    fields: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        fields.setdefault(candidate.figure, []).append(candidate)
    _heats(list(fields.values()), began + budget)
    _finals(list(fields.values()), began + budget)
    busy = (waiting() - waited) / (time.perf_counter() - began)
    if busy > BUSY:
        _finals(list(fields.values()), time.perf_counter() + extra)
    best = {figure: max(c.rate for c in field) for figure, field in fields.items()}
    return {figure: rate for figure, rate in best.items() if rate > 0}, busy


def _heats(fields: Sequence[Sequence[Candidate]], deadline: float) -> None:
    for heat in range(max(map(len, fields), default=0)):
        for field in fields:
            late = time.perf_counter() > deadline and max(c.rate for c in field) > 0
            if heat < len(field) and not late and _worth_trying(field[heat], field[:heat]):
                _take_turn(field[heat], HEAT)


def _finals(fields: Sequence[Sequence[Candidate]], deadline: float) -> None:
    running = True
    while running and time.perf_counter() < deadline:
        running = False
        for field in fields:
            for candidate in _contenders(field):
                if time.perf_counter() < deadline:
                    running = True
                    _take_turn(candidate, TURN)


def _worth_trying(candidate: Candidate, before: Sequence[Candidate]) -> bool:
    best = max((c.rate for c in before), default=0.0)
    return best == 0.0 or candidate.work / best < LONGEST


def _contenders(field: Sequence[Candidate]) -> list[Candidate]:
    """The best of those with all threads: one thread has had its chance."""
    able = sorted((c for c in field if c.rate > 0 and not c.threads), key=lambda c: -c.rate)
    return able[:CONTENDERS]


def _take_turn(candidate: Candidate, seconds: float) -> None:
    """A turn of about so many seconds. What this machine or this build of torch cannot do stays at rate 0."""
    threads = torch.get_num_threads()
    if candidate.threads and candidate.threads != threads:
        torch.set_num_threads(candidate.threads)
    try:
        call = candidate.make()
        first = timed(call, 1)
        candidate.seconds = min(candidate.seconds, fastest(call, seconds) if first < SLOWEST else math.inf)
    except (RuntimeError, TypeError, AttributeError, NotImplementedError, MemoryError):
        pass
    finally:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def alone(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same with one thread; nothing if that is all there are, or if they run on a device."""
    if torch.cuda.is_available() or torch.get_num_threads() == 1:
        return []
    return [replace(c, threads=1) for c in candidates]


def waiting() -> float:
    """Seconds that this process's threads have waited for a core since they began; 0 where the kernel does not say."""
    total = 0
    for path in glob.glob("/proc/self/task/*/schedstat"):
        try:
            with open(path) as file:
                total += int(file.read().split()[1])
        except (OSError, ValueError, IndexError):
            continue
    return total / 1e9


def fastest(call: Call, seconds: float) -> float:
    """Seconds of the fastest call in about so many seconds of trying: one call at least, or batches of them."""
    once = timed(call, 1)
    if once > seconds:
        return once
    batch = max(1, min(1000, int(BATCH / max(once, 1e-7))))
    best, deadline, left = once, time.perf_counter() + seconds, FEWEST
    while left > 0 or time.perf_counter() < deadline:
        best = min(best, timed(call, batch) / batch)
        left -= 1
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
