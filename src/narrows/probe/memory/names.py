"""Names that a user would know an object by: a global, a local of a function, an attribute, and what is in those."""

import sys
from collections import deque
from collections.abc import Iterator
from types import CellType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Any

from .. import places

_FUNCTION = 1
"""Bit of a code object whose locals are not a dict."""
DEEPEST = 3
"""Containers in containers."""


class Names:
    def __init__(self, parents: dict[int, list[Any]]) -> None:
        """`parents`: by an object's id, what refers to it."""
        self.parents = parents
        self.modules = {id(vars(m)): m for m in list(sys.modules.values()) if type(m) is ModuleType}
        self.locals: dict[int, dict[str, Any]] = {}
        for top in list(sys._current_frames().values()):
            frame: FrameType | None = top
            while frame is not None:
                for value, name in _of_frame(frame).items():
                    self.locals.setdefault(value, _local(name, frame.f_code))
                frame = frame.f_back
            del top  # this frame is one of them: it would hold itself, and all below it

    def of(self, value: Any, deep: int = 0) -> dict[str, Any] | None:
        """{name, where, file, function, line}: `line` is the first one of the function."""
        if id(value) in self.locals:
            return self.locals[id(value)]
        around: list[tuple[str, Any]] = []
        for parent in self.parents.get(id(value), ()):
            if isinstance(parent, dict):
                key = next((k for k, v in list(parent.items()) if v is value), None)
                found = self._of_dict(parent, key, value)
                if key is not None and id(parent) not in self.modules:
                    around.append((f"[{key!r}]" if isinstance(key, (str, int)) else "[...]", parent))
            elif isinstance(parent, (list, tuple, set, deque)):
                around.append(("[...]", parent))
                found = None
            else:
                found = self._of_other(parent, value)
            if found is not None:
                return found
        for part, parent in around if deep < DEEPEST else ():
            found = self.of(parent, deep + 1)
            if found is not None:
                return {**found, "name": found["name"] + part}
        return None

    def _of_dict(self, parent: dict[Any, Any], key: Any, value: Any) -> dict[str, Any] | None:
        if not isinstance(key, str):
            return None
        module = self.modules.get(id(parent))
        if module is not None:
            file = getattr(module, "__file__", None)
            known = module.__name__ == "__main__" or (file is not None and places.kind(file) == "user")
            return {"name": key, "where": "global", "file": file, "function": None, "line": 0} if known else None
        for owner in self.parents.get(id(parent), ()):
            if isinstance(owner, type):
                if owner.__dict__.get(key) is value:
                    return _attribute(owner, key)
            elif getattr(owner, "__dict__", None) is parent:
                return _attribute(type(owner), key)
        return None

    def _of_other(self, parent: Any, value: Any) -> dict[str, Any] | None:
        if isinstance(parent, (FrameType, GeneratorType)):
            frame: Any = parent if isinstance(parent, FrameType) else parent.gi_frame
            name = _of_frame(frame).get(id(value)) if frame is not None else None
            return _local(name, frame.f_code) if name is not None else None
        if isinstance(parent, CellType):
            return self._of_cell(parent)
        if isinstance(parent, (type, FunctionType, ModuleType)):
            return None
        key = next((k for k, v in _attributes(parent) if v is value), None)
        return _attribute(type(parent), key) if key is not None else None

    def _of_cell(self, cell: CellType) -> dict[str, Any] | None:
        """A variable that a function has from the one around it."""
        for closure in self.parents.get(id(cell), ()):
            for function in self.parents.get(id(closure), ()):
                if isinstance(function, FunctionType) and function.__closure__ is closure:
                    code = function.__code__
                    if places.kind(code.co_filename) == "user":
                        at = next(i for i, each in enumerate(function.__closure__ or ()) if each is cell)
                        return {**_local(code.co_freevars[at], code), "line": 0}
        return None


def _of_frame(frame: FrameType) -> dict[int, str]:
    """By id of the value: the locals of a user's function. None of a module: those are globals."""
    if not frame.f_code.co_flags & _FUNCTION or places.kind(frame.f_code.co_filename) != "user":
        return {}
    found = frame.f_locals
    made = {id(value): name for name, value in found.items()}
    # Before 3.13 a copy, which the frame would keep, and with it all that is in there. Its references are the frame's,
    # ours and the call's; with another one the script has asked for it, too.
    if sys.version_info < (3, 13) and sys.getrefcount(found) <= 3:
        found.clear()
    return made


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    try:
        yield from list(vars(value).items())
    except TypeError:
        pass
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            try:
                yield slot, object.__getattribute__(value, slot)
            except AttributeError:
                pass


def _local(name: str, code: Any) -> dict[str, Any]:
    return {
        "name": name, "where": "local function", "file": code.co_filename, "function": code.co_name,
        "line": code.co_firstlineno,
    }  # fmt: skip


def _attribute(kind: type, key: str) -> dict[str, Any] | None:
    if kind.__module__.startswith("_narrows"):
        return None
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return {"name": f"{kind.__name__}.{key}", "where": "attribute", "file": file, "function": None, "line": 0}
