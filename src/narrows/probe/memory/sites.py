"""Where a tensor is made: state, module, op and line, as one number for each that differs."""

import os
import sys
from types import FrameType
from typing import Any

from .. import places, state

_memory = os.path.dirname(os.path.abspath(__file__)) + os.sep
_DISTRIBUTED = (f"torch{os.sep}distributed{os.sep}", f"torch{os.sep}nn{os.sep}parallel{os.sep}")
_COLLECTIVE: dict[str, bool] = {}
NO_MODULE = -1


class Modules:
    """The path of the module that is being called, by torch's global hooks."""

    def __init__(self, torch: Any) -> None:
        self.names: list[str] = []
        self.known: dict[int, int] = {}
        self.stack: list[int] = []
        from torch.nn.modules.module import (  # type: ignore[import-not-found,unused-ignore]
            register_module_forward_hook,
            register_module_forward_pre_hook,
        )

        register_module_forward_pre_hook(self._enter)
        register_module_forward_hook(self._leave, always_call=True)

    @property
    def now(self) -> int:
        return self.stack[-1] if self.stack else NO_MODULE

    def _enter(self, module: Any, args: Any) -> None:
        number = self.known.get(id(module))
        if number is None:
            self._learn(module)
            number = self.known[id(module)]
        self.stack.append(number)

    def _leave(self, module: Any, args: Any, output: Any) -> None:
        if self.stack:
            self.stack.pop()

    def _learn(self, module: Any) -> None:
        """Name all that is in it. An id may be that of a module that is gone: what is new is named again."""
        root = type(module).__name__
        for name, part in module.named_modules():
            self.known[id(part)] = len(self.names)
            self.names.append(f"{root}.{name}" if name else root)


class Sites:
    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.numbers: dict[Any, int] = {}
        self.table: list[list[Any]] = []

    def number(self, op: Any, device: str) -> int:
        """Of a tensor that `op` has just made; None: one that was there before."""
        place, collective = _place()
        key = (state.now_in, self.modules.now, op, place, collective, device)
        found = self.numbers.get(key)
        if found is None:
            found = self.numbers[key] = len(self.table)
            self.table.append([state.now_in, self.modules.now, str(op) if op is not None else None,
                               list(place) if place else None, collective, device])  # fmt: skip
        return found


def _place() -> tuple[tuple[str, int, str] | None, bool]:
    """(the innermost line of the user's own code, whether a collective library asked for the memory)."""
    frame: FrameType | None = sys._getframe(2)
    collective = False
    while frame is not None:
        file = frame.f_code.co_filename
        if places.kind(file) == "user":
            return (file, frame.f_lineno, frame.f_code.co_name), collective
        known = _COLLECTIVE.get(file)
        if known is None:
            known = _COLLECTIVE[file] = any(part in file for part in _DISTRIBUTED)
        collective = collective or known
        frame = frame.f_back
    return None, collective
