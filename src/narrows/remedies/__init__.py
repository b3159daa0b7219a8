"""Changes that narrows can make to a job without editing it: one file each, and adding one edits no list.

A remedy's file is read in two places: by narrows, which asks it where it applies and what it should gain
(`candidates`), and inside the job, where it makes its change (`apply`). There the package is called
`_narrows_remedies`, and nothing but the standard library and the job's own framework may be imported. So at import a
remedy needs the standard library only, and imports of this package are relative.

A remedy has

- `CLASS`: `exact` (the same mathematics), `numerics` (another precision), `memory` (time for memory) or `training`
  (changes what is learned);
- `TEXT`: by language, (what it does, what it may change);
- `candidates(view)`: what to try, with the seconds of a step that each should save; empty where it does not apply;
- `RANKS = True`, if it is only for jobs of several ranks;
- `FRAMEWORK`: `keras` (its own loop) or `tensorflow`, if it is not for jobs of torch;
- `apply(torch, value)`: called right after the job has imported torch (or that framework); may be missing if there is only
- `environment(value)`: variables that are set before the job starts;
- `beyond(value)`, of a number: what to try next once that value has helped; may be missing;
- `ROOM`: the settings that could make a job need less memory; may be missing if none does;
- `possible(process)`, of one with a `ROOM`: whether it could find something to change in a job, from what a run of it
  wrote, so that no process is started in vain; may be missing if only trying tells;
- `by_hand(value)`: the lines that would do the same in a script;
- `edit(source, value)`: those lines put into the text of a script, by `narrows.edits`, which it imports when called: the
  job has no narrows. The same text where there is nothing to change, None where it is not safe. May be missing;
- `ONCE`: the edit is for the main script alone, and this is a pattern of names and strings that make it unsafe if
  another file of the job has them. If it is missing, the edit is for every file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narrows.spool.record import Process

CLASSES = ("training", "numerics", "memory", "exact")
"""The one that changes most first."""
ON_REQUEST = ("memory", "training")
"""The classes that are tried only where they are asked for."""


def load(name: str) -> ModuleType:
    """The remedy of that name (`loader-workers`). Raises `KeyError` if there is none."""
    module = name.replace("-", "_")
    if module not in _modules():
        raise KeyError(name)
    found = importlib.import_module(f"{__name__}.{module}")
    if not hasattr(found, "CLASS"):
        raise KeyError(name)
    return found


def names() -> list[str]:
    """All remedies, by name."""
    modules = (name for name in _modules() if hasattr(importlib.import_module(f"{__name__}.{name}"), "CLASS"))
    return sorted(name.replace("_", "-") for name in modules)


def possible(module: ModuleType, process: Process) -> bool:
    """Whether a remedy may find something to change in this job, where it says so at all."""
    asked: Callable[[Process], bool] = getattr(module, "possible", lambda process: True)
    return asked(process)


def _modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(__path__)]


FRAMEWORKS = {"torch": ("torch",), "tensorflow": ("tensorflow",), "keras": ("keras", "tensorflow")}
"""By what the job's loop is written in: whose remedies it may take."""


def suits(name: str, framework: str) -> bool:
    """Whether the remedy is one for jobs whose loop is written in that framework."""
    return getattr(load(name), "FRAMEWORK", "torch") in FRAMEWORKS[framework]
