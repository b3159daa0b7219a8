"""Trials that run beside each other and take turns: while one runs, the others are held.

Each is a fresh process. A turn lasts a fraction of a second, so that a drift of the machine's speed hits all of them
alike, and what a process needs to begin (imports, data, a compiler) is waited for once. Pure but for the clock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

SPANS = 3
"""Times what is made ahead that a process is measured for: slow workers deliver in bursts of that size."""
POLL, OFTEN = 0.02, 0.001
"""Seconds between two looks at a process, while nothing and while a boundary is waited for."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """In boundaries and seconds of a process's own running time."""

    warmup: int
    """Boundaries before the first turn that counts."""
    turn: float
    """Seconds of a turn, at least ..."""
    least: int
    """... and boundaries."""
    seconds: float
    """In all turns together, at least ..."""
    boundaries: int
    """... and so many boundaries."""
    longest: float
    """A process that has run longer is given up."""
    at_once: int = 2
    """Processes that begin beside each other: as many as there are cores, but a few."""


class Child(Protocol):
    """A process that can be held. Held or not, it may end by itself at any time."""

    def start(self) -> None: ...
    def go(self) -> None: ...
    def hold(self) -> float:
        """The moment at which it was held, on the clock."""

    def count(self, begin: float, end: float) -> None:
        """What it did between these moments of the clock is measured."""

    def ahead(self) -> int:
        """Steps' worth of batches that it may have made ahead, while others began or its model was compiled."""

    def boundaries(self) -> int: ...
    def running(self) -> bool: ...
    def give_up(self) -> None: ...


@dataclass
class _Seen:
    """What a child has done so far."""

    ran: float = 0.0
    measured: float = 0.0
    passed: int = 0
    ahead: int = 0


class Turns:
    """One round of trials."""

    def __init__(
        self, children: Sequence[Child], pace: Pace,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.children, self.pace, self.clock, self.sleep = list(children), pace, clock, sleep
        self.seen = {id(child): _Seen() for child in children}

    def play(self) -> None:
        """Start all, let each warm up, and give turns until each was measured for long enough or one has ended."""
        self._start()
        for child in self.children:
            seen = self.seen[id(child)]
            seen.ahead = child.ahead()
            left = self.pace.warmup + seen.ahead - child.boundaries()
            if child.running() and left > 0:
                self._turn(child, 0.0, left, counts=False)
        order = [child for child in self.children if child.running()]
        # When one has ended, what is left would run beside nothing that it can be compared with.
        while order and all(child.running() for child in order) and not all(map(self._enough, order)):
            for child in order:
                if child.running():
                    self._turn(child, self.pace.turn, self.pace.least, counts=True)
            order.reverse()

    def _start(self) -> None:
        """Each is held at its first boundary. Beginning is not timed, so a few do it at once."""
        waiting = list(self.children)
        starting: dict[int, tuple[Child, float]] = {}
        while waiting or starting:
            while waiting and len(starting) < self.pace.at_once:
                child = waiting.pop(0)
                child.start()
                starting[id(child)] = child, self.clock()
            for child, began in list(starting.values()):
                ran = self.clock() - began
                if child.boundaries():
                    child.hold()
                elif ran > self.pace.longest:
                    child.give_up()
                elif child.running():
                    continue
                self.seen[id(child)].ran = ran
                del starting[id(child)]
            self.sleep(OFTEN)

    def _turn(self, child: Child, seconds: float, least: int, *, counts: bool) -> None:
        """Let it run for so long, and on to its next boundary: else long steps would be those that are cut off."""
        seen, first = self.seen[id(child)], child.boundaries()
        child.go()
        began = now = self.clock()
        over: int | None = None
        while child.running():
            self.sleep(OFTEN if over is not None else min(POLL, max(OFTEN, seconds - (now - began))))
            now, passed = self.clock(), child.boundaries()
            if over is not None and passed > over:
                break
            if over is None and now - began >= seconds and passed - first >= least:
                if not counts:
                    break
                over = passed
            if seen.ran + now - began > self.pace.longest:
                child.give_up()
                break
        ended = child.hold()
        if counts:
            child.count(began, ended)
            seen.measured += ended - began
            seen.passed += child.boundaries() - first
        seen.ran += ended - began

    def _enough(self, child: Child) -> bool:
        seen = self.seen[id(child)]
        least = max(self.pace.boundaries, SPANS * seen.ahead)
        return seen.measured >= self.pace.seconds and seen.passed >= least
