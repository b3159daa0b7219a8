"""How long the rest of a step takes while no worker makes batches: the window of steps that have the cores alone.

Workers slow a step down in ways that nothing counts: their cores may be two faces of one, and they share its caches.
So the workers pause for a few batches (`probe/pause.py`), and the time from a batch to the next asking is taken.
"""

from time import perf_counter_ns as clock
from typing import Any

from .. import job, pause, state
from ..hooks import loader

PATIENCE = 2.5
"""A pause lasts at most so many steps."""


class Alone:
    def __init__(self) -> None:
        self.found: list[list[int]] = []
        self.mark: list[int] | None = None
        self.asked_at = 0
        self.longest = 50_000_000

    def open(self) -> bool:
        if loader.last_workers is None or pause.board is None:
            return False
        job.disturbed = True
        loader.look = self
        return True

    def asked(self, iterator: Any) -> None:
        """A batch is about to be asked for."""
        if self.mark is not None:
            state.touch()
            self.found.append([now - then for now, then in zip(state.gap_ns, self.mark, strict=True)])
            self.longest = max(5_000_000, int(PATIENCE * sum(self.found[-1])))
            self.mark = None
        if pause.all_idle(_pids(iterator)) and iterator._data_queue.empty():
            pause.until(0)  # all that was made is used up

    def served(self, iterator: Any) -> None:
        """A batch came."""
        pause.until(clock() + self.longest)
        if pause.all_idle(_pids(iterator)):
            state.touch()
            self.mark = list(state.gap_ns)

    def close(self) -> None:
        loader.look = None
        pause.until(0)
        job.disturbed = True
        job.spool.event("alone", ns=self.found)


def _pids(iterator: Any) -> list[int]:
    return [worker.pid for worker in iterator._workers]


def make() -> Alone:
    return Alone()
