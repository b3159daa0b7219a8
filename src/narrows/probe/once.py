"""Statements that a counterfactual runs a few times, and then leaves out (`trials/leave_out.py` writes the calls)."""

from typing import Any

FIRST = 4
"""Times that each is run: until its names exist, and its files and buffers. So many batches are kept, too."""
_runs: dict[int, int] = {}
_kept: dict[tuple[int, str], Any] = {}


def first(statement: int) -> bool:
    """Whether it is to be run this time."""
    runs = _runs.get(statement, 0)
    _runs[statement] = runs + 1
    return runs < FIRST


def keep(statement: int, names: tuple[str, ...], values: dict[str, Any]) -> None:
    """Remember what it has made of its names: a function's are gone when the function is called again."""
    for name in names:
        if name in values:
            _kept[statement, name] = values[name]


def has(statement: int, name: str) -> bool:
    return (statement, name) in _kept


def kept(statement: int, name: str) -> Any:
    return _kept[statement, name]
