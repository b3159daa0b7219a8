"""The one live line while the job runs: steps, step time, loss."""

import math
import time
from pathlib import Path

from narrows.job.status import Status
from narrows.spool.read import progress


class Live:
    """Redraws one line of a terminal twice a second. Anywhere else it draws nothing."""

    def __init__(self, spool: Path, *, quiet: bool) -> None:
        self.spool = spool
        self.status = Status(quiet=quiet)
        self.next = 0.0
        self.before: tuple[int, int] | None = None

    def draw(self) -> None:
        now = time.monotonic()
        if not self.status.on or now < self.next:
            return
        self.next = now + 0.5
        states = [s for s in (progress(path) for path in self.spool.glob("*.steps")) if s is not None]
        if not states:
            return
        steps, last, loss, _ = max(states)
        text = f"narrows: step {steps}"
        if self.before is not None and steps > self.before[0]:
            text += f"  {(last - self.before[1]) / (steps - self.before[0]) / 1e6:.2f} ms/step"
        if math.isfinite(loss):
            text += f"  loss {loss:.4g}"
        self.before = (steps, last)
        self.status.show(f"\x1b[2m{text}\x1b[0m")

    def clear(self) -> None:
        self.status.clear()
