"""In a loader's worker: which lines of the user's dataset a few batches go to."""

import sys
from time import perf_counter_ns as clock
from types import CodeType, FrameType
from typing import Any

from .. import job, places

SKIP, BATCHES = 2, 3
"""The first batches pay for imports and caches; three more say where the time goes."""
MOST_NS = 3_000_000_000


class Samples:
    """Traces the lines of user code while this process makes its batches, then goes away for good."""

    def __init__(self, fetches: Any) -> None:
        self.fetches = fetches
        self.spent: dict[tuple[CodeType, int], int] = {}
        self.hits: dict[tuple[CodeType, int], int] = {}
        self.current: tuple[CodeType, int] | None = None
        self.stack: list[tuple[CodeType, int] | None] = []
        self.last = self.began = clock()

    def charge(self, key: tuple[CodeType, int] | None) -> None:
        now = clock()
        if self.current is not None:
            self.spent[self.current] = self.spent.get(self.current, 0) + now - self.last
        self.last, self.current = now, key

    def on_call(self, frame: FrameType, event: str, arg: Any) -> Any:
        made = self.fetches.batches
        if made >= SKIP + BATCHES or clock() - self.began > MOST_NS:
            self.close()
            return None
        if made < SKIP or places.kind(frame.f_code.co_filename) != "user":
            return None
        self.stack.append(self.current)
        self.charge((frame.f_code, frame.f_lineno))
        return self.on_line

    def on_line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            key = (frame.f_code, frame.f_lineno)
            self.charge(key)
            self.hits[key] = self.hits.get(key, 0) + 1
        elif event == "return":
            self.charge(self.stack.pop() if self.stack else None)
        return self.on_line

    def close(self) -> None:
        sys.settrace(None)
        job.spool.event(
            "samples",
            batches=max(0, self.fetches.batches - SKIP),
            lines=[
                [code.co_filename, code.co_qualname, code.co_firstlineno, line, self.hits.get((code, line), 0), ns]
                for (code, line), ns in self.spent.items()
            ],
        )


def watch(fetches: Any) -> None:
    if sys.gettrace() is None:
        sys.settrace(Samples(fetches).on_call)
