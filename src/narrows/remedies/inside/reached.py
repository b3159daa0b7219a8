"""What can be reached from an object: what it holds, and what the code of its own names. Standard library only."""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
import logging
import os
import random
import sys
import sysconfig
from collections import deque
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

MOST, PARTS = 500, 50
"""Values that are looked at, and of one of them; what is nearest comes first."""
STARTS = ("__getitem__", "__getitems__", "__iter__", "__next__", "__call__", "forward")
"""Methods that make samples; what they call is looked at, and `__init__` is not."""
PLAIN = (str, bytes, int, float, complex, bool, type(None))
CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset, deque)
LIBRARY = tuple(
    {os.path.abspath(path) + os.sep for name in ("stdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)


def reached(torch: Any, *roots: Any) -> list[Any]:
    """These first. The generators that all the process shares, its logging and its modules are left out."""
    found: list[Any] = []
    seen = {id(each) for each in _everyones(torch)}
    todo = deque(roots)
    while todo and len(found) < MOST:
        value = todo.popleft()
        if isinstance(value, FunctionType) and not any(value is root for root in roots):
            value = inspect.unwrap(value)
            if not isinstance(value, FunctionType) or not mine(value.__code__.co_filename):
                continue
        if id(value) in seen or isinstance(value, (type, ModuleType, logging.Logger, logging.Handler)):
            continue
        if not isinstance(value, PLAIN):  # one number stands in many places, and each may get another
            seen.add(id(value))
        found.append(value)
        todo.extend(itertools.islice(_parts(value, torch), PARTS))
    return found


def _everyones(torch: Any) -> list[Any]:
    numpy = sys.modules.get("numpy")
    shared = [getattr(random, "_inst", None), getattr(torch, "default_generator", None)]
    return shared + ([getattr(numpy.random.mtrand, "_rand", None)] if numpy is not None else [])


def _parts(value: Any, torch: Any) -> Iterator[Any]:
    if isinstance(value, (*PLAIN, torch.Tensor)):
        return
    if isinstance(value, FunctionType):
        yield from _named(value)
        return
    if isinstance(value, MethodType):
        yield from (value.__self__, value.__func__)
        return
    if isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, dict):
        yield from dict.values(value)
    for kind in CONTAINERS:
        if isinstance(value, kind):
            yield from kind.__iter__(value)
    if type(value).__module__ not in ("builtins", "numpy"):
        held = getattr(value, "__dict__", None)
        yield from held.values() if isinstance(held, dict) else ()
        yield from _methods(type(value))


def _named(function: FunctionType) -> Iterator[Any]:
    """What a function's code names outside of itself, also in modules of the script's."""
    inner = inspect.unwrap(function)
    if not isinstance(inner, FunctionType):
        return
    names = _names(inner.__code__)
    for name in _globals(inner.__code__):
        value = inner.__globals__.get(name)
        yield value
        if isinstance(value, ModuleType) and mine(getattr(value, "__file__", None) or ""):
            yield from (vars(value)[each] for each in names if each in vars(value))
    for cell in inner.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            pass  # empty
    yield from inner.__defaults__ or ()


def _methods(kind: type) -> Iterator[FunctionType]:
    """Methods of the script's own that make samples, and those that they call."""
    names = list(STARTS)
    for name in names:  # it grows
        held = next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)
        held = getattr(held, "fget", None) or getattr(held, "__func__", None) or held
        held = inspect.unwrap(held) if isinstance(held, FunctionType) else None
        if isinstance(held, FunctionType) and mine(held.__code__.co_filename):
            names += [each for each in _names(held.__code__) if each not in names]
            yield held


@functools.lru_cache(1000)
def _names(code: CodeType) -> tuple[str, ...]:
    """Of a function and of those that are made inside of it: attributes, too."""
    return tuple(dict.fromkeys([*code.co_names, *(name for each in _inner(code) for name in _names(each))]))


@functools.lru_cache(1000)
def _globals(code: CodeType) -> tuple[str, ...]:
    found = [each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
    return tuple(dict.fromkeys([*found, *(name for each in _inner(code) for name in _globals(each))]))


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


@functools.lru_cache(None)
def mine(file: str) -> bool:
    """A file of the script's, not of a library or of ours."""
    path = os.path.abspath(file) if not file.startswith("<") else file
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    return not path.startswith((*LIBRARY, ours, "<frozen")) and f"-packages{os.sep}" not in path
