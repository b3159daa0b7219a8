"""Shapes of the ops that run outside of a graph: noted by a wrapper around what runs each, while a window is open."""

import importlib
from _thread import get_ident
from typing import Any

from .. import job, state

MOST_CALLS = 100_000
AHEAD = 16


class Calls:
    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Any], Any]] = []
        """Of the main thread, in order: type, arguments, outputs."""
        self.at = 0
        self.module: Any = None
        self.original: Any = None

    def open(self) -> None:
        self.module = importlib.import_module("tensorflow.python.pywrap_tfe")
        self.original = original = self.module.TFE_Py_FastPathExecute
        calls = self.calls

        def execute(context: Any, kind: Any, name: Any, *inputs: Any) -> Any:
            result = original(context, kind, name, *inputs)
            if len(calls) < MOST_CALLS and get_ident() == state.thread:
                try:
                    calls.append((kind, [describe(value) for value in inputs], describe(result)))
                except Exception as error:
                    job.quiet(error)
            return result

        self.module.TFE_Py_FastPathExecute = execute

    def match(self, kind: str) -> tuple[list[Any], Any] | None:
        """(arguments, outputs) of the next call of that type, or None. Both come in the order in which they were made; some
        calls go another way and are not here."""
        for at in range(self.at, min(self.at + AHEAD, len(self.calls))):
            if self.calls[at][0] == kind:
                self.at = at + 1
                return self.calls[at][1:]
        return None

    def close(self) -> None:
        if self.module is not None:
            self.module.TFE_Py_FastPathExecute = self.original


def describe(value: Any) -> Any:
    """As `windows/ops.py` does for torch; a variable by the shape of its value."""
    shape, kind = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and kind is not None and hasattr(shape, "__iter__"):
        name = getattr(kind, "name", str(kind))
        if name in ("resource", "variant", "string"):
            return None
        return ("T", tuple(int(size) for size in shape), name, "c")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else str(value)
    if isinstance(value, (list, tuple)):
        return ("L", *[describe(item) for item in value])
    return ("?",)
