"""How long the rest of a step takes while nothing makes batches beside it: the window of steps that have the cores alone.

Workers slow a step down in ways that nothing counts: their cores may be two faces of one, and they share its caches.
So the workers pause for a few batches (`probe/pause.py`), and the time from a batch to the next asking is taken.
"""

from time import perf_counter_ns as clock

from .. import job, pause, state
from ..hooks import loader

PATIENCE = 2.5
"""A pause lasts at most so many steps."""


class Alone:
    def __init__(self) -> None:
        self.found: list[list[int]] = []
        self.mark: list[int] | None = None
        self.longest = 50_000_000
        self.batches = self.boundaries = 0

    def open(self) -> bool:
        if not pause.producers and (loader.last_workers is None or pause.board is None):
            return False
        job.disturbed = True
        self.boundaries = job.spool.boundaries
        pause.look = self
        return True

    def asked(self, idle: bool, empty: bool) -> None:
        """A batch is about to be asked for."""
        if self.mark is not None:
            state.touch()
            self.found.append([now - then for now, then in zip(state.gap_ns, self.mark, strict=True)])
            self.longest = max(5_000_000, int(PATIENCE * sum(self.found[-1])))
            self.mark = None
        if idle and empty:
            pause.until(0)  # all that was made is used up

    def served(self, idle: bool) -> None:
        """A batch came."""
        self.batches += 1
        pause.until(clock() + self.longest)
        if idle:
            state.touch()
            self.mark = list(state.gap_ns)

    def close(self) -> None:
        pause.look = None
        pause.until(0)
        job.disturbed = True
        job.spool.event(
            "alone",
            ns=self.found,
            batches=self.batches,
            boundaries=job.spool.boundaries - self.boundaries,
            producers=len(pause.producers),
        )


def make() -> Alone:
    return Alone()
