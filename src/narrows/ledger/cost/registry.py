"""The formulas, by the name of the op they price. `families/` fills this; nothing else knows the list."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from narrows.spool.record import Op


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a formula says about one call. What it leaves out is filled in from the call's tensors."""

    flops: float = 0.0
    read: float | None = None
    """Bytes; left out: each tensor argument once."""
    written: float | None = None
    """Bytes; left out: each output once (in place: the first argument)."""
    dtype: str | None = None
    """Of the arithmetic; left out: the widest floating input."""
    kind: str | None = None
    """Where this call is of another kind than the formula's others."""


Formula = Callable[[Op], Work | None]


@dataclass(frozen=True, kw_only=True)
class Entry:
    formula: Formula
    kind: str
    sparse: bool
    """The formula holds for sparse tensors, too."""


NOTHING = Work(read=0.0, written=0.0, kind="view")
"""Neither arithmetic nor traffic: only metadata changes."""

_entries: dict[str, Entry] = {}
_loaded = False


def formula(*names: str, kind: str, sparse: bool = False) -> Callable[[Formula], Formula]:
    """Register a formula for these names. An in-place op (`add_`) needs no name of its own.

    The formula may return None, which says that the cost of this call cannot be known from its shapes, and may
    raise on arguments that make no sense.
    """

    def register(function: Formula) -> Formula:
        for name in names:
            if name in _entries:
                raise ValueError(f"two formulas for {name}")
            _entries[name] = Entry(formula=function, kind=kind, sparse=sparse)
        return function

    return register


def find(name: str) -> Entry | None:
    """The entry of an op, or of the op that it is the in-place form of."""
    load()
    found = _entries.get(name)
    if found is None and name.endswith("_") and not name.endswith("__"):
        found = _entries.get(name[:-1])
    return found


def names() -> tuple[str, ...]:
    """All names that have a formula."""
    load()
    return tuple(_entries)


def load() -> None:
    """Import each family, once. Adding one is adding its file."""
    global _loaded
    if _loaded:
        return
    from narrows.ledger.cost import families

    for module in pkgutil.iter_modules(families.__path__):
        importlib.import_module(f"{families.__name__}.{module.name}")
    _loaded = True
