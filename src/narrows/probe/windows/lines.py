"""Which source line the gaps go to: the line window.

Python's own tracing is switched on for the frames of the training loop only (those that were on the stack when the
model, the backward, the update or the loader was called). The time between two line events, as far as the main
thread was in a gap, goes to the first of the two lines. A trainer's callbacks into user code, and the user code
that the loader runs in this process, are timed too.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from .. import job, places, state

Key = tuple[CodeType, int, str]


class Lines:
    def __init__(self) -> None:
        self.spent: dict[tuple[Key, int], int] = {}
        self.hits: dict[Key, int] = {}
        self.current: Key | None = None
        self.stack: list[Key | None] = []
        self.mark = [0] * state.STATES
        self.begin = [0] * state.STATES
        self.boundaries = 0

    def open(self) -> bool:
        if sys.gettrace() is not None:  # a debugger, coverage: theirs
            return False
        places.learning = False
        job.disturbed = True
        state.touch()
        self.mark[:] = state.gap_ns
        self.begin = list(state.gap_ns)
        self.boundaries = job.spool.boundaries
        frames: list[FrameType] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code in places.ancestors and places.kind(frame.f_code.co_filename) not in (
                "probe",
                "torch",
            ):
                frames.append(frame)
            frame = frame.f_back
        sys.settrace(self.on_call)
        for frame in reversed(frames):
            self.stack.append(self.current)
            self.current = (frame.f_code, places.line(frame), self.role(frame.f_code))
            frame.f_trace = self.on_loop
            frame.f_trace_lines = places.kind(frame.f_code.co_filename) == "user"
        self.frames = frames
        return True

    def close(self) -> None:
        sys.settrace(None)
        for frame in self.frames:
            frame.f_trace = None
            frame.f_trace_lines = True
        self.frames = []
        self.charge()
        job.disturbed = True
        window = [now - then for now, then in zip(state.gap_ns, self.begin, strict=True)]
        job.spool.event(
            "lines",
            boundaries=job.spool.boundaries - self.boundaries,
            ns=window,
            lines=[
                [code.co_filename, code.co_qualname, code.co_firstlineno, line, at, self.hits.get((code, line, role), 0),
                 ns, role]
                for ((code, line, role), at), ns in self.spent.items() if ns > 0
            ],
        )  # fmt: skip

    def role(self, code: CodeType) -> str:
        bits = places.ancestors.get(code, 0)
        return "loop" if bits & ~places.LOADER else "fetch"

    def charge(self) -> None:
        """Give the time since the last event to the current line."""
        state.touch()
        key = self.current
        for at in _WATCHED:
            spent = state.gap_ns[at] - self.mark[at]
            if spent and key is not None:
                where = (key, at)
                self.spent[where] = self.spent.get(where, 0) + spent
            self.mark[at] = state.gap_ns[at]

    def push(self, key: Key) -> None:
        self.charge()
        self.stack.append(self.current)
        self.current = key
        self.hits[key] = self.hits.get(key, 0) + 1

    def pop(self) -> None:
        self.charge()
        self.current = self.stack.pop() if self.stack else None

    def on_call(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        """A function begins: trace it by line if it belongs to the loop."""
        code = frame.f_code
        at = state.now_in
        if at not in _LOOKED_INTO:
            return None
        if code in places.ancestors:
            if places.kind(code.co_filename) in ("probe", "torch"):
                return None
            self.push((code, places.line(frame), self.role(code)))
            # A trainer's own lines say nothing to the user, and an event for each makes them look slow.
            frame.f_trace_lines = places.kind(code.co_filename) == "user"
            return self.on_loop
        if places.kind(code.co_filename) != "user":
            return None
        if at == state.NEXT:
            self.push((code, frame.f_lineno, "sample"))
            return self.on_loop
        back = frame.f_back
        if back is not None and places.kind(back.f_code.co_filename) == "library":
            if self.current is not None and self.current[2] == "callback":
                return None
            self.push((code, frame.f_lineno, "callback"))
            return self.on_loop
        return None

    def on_loop(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any]:
        if event == "line":
            self.charge()
            old = self.current
            key = (frame.f_code, frame.f_lineno, old[2] if old is not None else "loop")
            self.current = key
            self.hits[key] = self.hits.get(key, 0) + 1
        elif event == "return":
            self.pop()
        return self.on_loop


_WATCHED = (*sorted(state.GAPS), state.NEXT)
_LOOKED_INTO = frozenset((*state.GAPS, state.NEXT, state.OPTIMIZER))


def make() -> Lines:
    return Lines()
