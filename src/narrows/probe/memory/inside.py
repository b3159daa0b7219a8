"""What ops take for themselves while they run: a column matrix of a convolution, a sorted copy of indices.

Only the allocator sees it. For one step torch's own profiler notes each of its events, and each is laid to the op in whose
time it falls.
"""

from array import array
from typing import Any

from .. import job

LEAST = 1 << 16
"""Bytes."""
LONGEST = 32
"""Boundaries: calls of a job that only answers may be many."""


class Inside:
    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.profiler: Any = None
        self.ops: list[str] = []
        self.begin, self.end, self.handled = array("q"), array("q"), array("q")
        self.cuts: list[tuple[int, int]] = []
        """(which optimizer or model, calls so far) at each boundary."""
        self.over = 0
        """Boundaries that were seen."""

    def start(self) -> None:
        from torch.profiler import ProfilerActivity, profile  # type: ignore[import-not-found,unused-ignore]

        self.profiler = profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True)
        self.profiler.start()

    def note(self, op: Any, began: int, ended: int, handled: int) -> None:
        """Nanoseconds of the wall clock, which is the profiler's. `handled`: bytes that it was given and made."""
        self.ops.append(str(op))
        self.begin.append(began)
        self.end.append(ended)
        self.handled.append(handled)

    def stop(self) -> None:
        """Write down, by op and in order, the bytes that each call handled and took beside that."""
        if self.profiler is None:
            return
        profiler, self.profiler = self.profiler, None
        profiler.stop()
        seen = sorted(
            (e.start_ns(), e.nbytes())
            for e in profiler.profiler.kineto_results.events()
            if e.name() == "[memory]" and e.device_type() == self.torch.autograd.DeviceType.CPU
        )
        taken = []
        at = now = 0
        for begin, end in zip(self.begin, self.end, strict=True):
            while at < len(seen) and seen[at][0] < begin:
                now += seen[at][1]
                at += 1
            before = most = now
            while at < len(seen) and seen[at][0] <= end:
                now += seen[at][1]
                most = max(most, now)
                at += 1
            taken.append(most - max(before, now))
        first = 0
        for who, last in self.cuts:
            self._write(who, range(first, last), taken)
            first = last

    def _write(self, who: int, which: range, taken: list[int]) -> None:
        calls: dict[str, list[list[int]]] = {}
        for i in which:
            if self.handled[i] >= LEAST or taken[i] >= LEAST:
                calls.setdefault(self.ops[i], []).append([self.handled[i], taken[i] if taken[i] >= LEAST else 0])
        kept = {op: found for op, found in calls.items() if any(most for _, most in found)}
        job.spool.event("inside", who=who, calls=kept)
