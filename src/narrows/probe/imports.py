"""Calls back when the job has imported a module, and leaves no trace behind."""

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

from . import job


class _Finder:
    """First on `sys.meta_path` until its module is found; it changes nothing but that loader's `exec_module`."""

    def __init__(self, name: str, then: Callable[[Any], None]) -> None:
        self.name, self.then, self.busy = name, [then], False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != self.name or self.busy:
            return None
        self.busy = True
        try:
            import importlib.util

            spec = importlib.util.find_spec(name)
        finally:
            self.busy = False
        loader = getattr(spec, "loader", None)
        if spec is None or loader is None:
            return spec
        execute, then, finder = loader.exec_module, self.then, self

        def exec_module(module: Any) -> None:
            if finder in sys.meta_path:
                sys.meta_path.remove(finder)
            del loader.exec_module
            execute(module)
            for call in then:
                try:
                    call(module)
                except Exception as error:
                    job.spool.event("fault", what=f"hooks: {error!r}")

        try:
            loader.exec_module = exec_module
        except AttributeError:
            job.spool.event("fault", what=f"{name} cannot be watched: its loader takes no attributes")
        return spec


def when(name: str, then: Callable[[Any], None]) -> None:
    """Call `then(module)` after the module's own code has run, and after those that were asked for before."""
    if name in sys.modules:
        then(sys.modules[name])
        return
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) and finder.name == name:
            finder.then.append(then)
            return
    sys.meta_path.insert(0, _Finder(name, then))
