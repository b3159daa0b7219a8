"""Edits of the arguments of calls."""

import ast
from collections.abc import Callable, Collection, Mapping

from narrows.edits.names import parsed
from narrows.edits.text import Change, Source, changed, expression, same

Wanted = Callable[[ast.Call], Mapping[str, str] | None]
"""The keyword arguments (expressions, by name) that a call is to have; None if that cannot be said."""


def keyword(source: str, callee: str, name: str, value: str, *, positional: int = 0) -> str | None:
    """Every call of `callee` has `name=value`; what it has is replaced, if it is a literal.

    None for a call that unpacks arguments, or has more than `positional` without a name: it may have it already.
    """
    return keywords(source, (callee,), lambda call: {name: value}, positional=positional)


def keywords(source: str, callees: Collection[str], wanted: Wanted, *, positional: int = 0) -> str | None:
    """The same for each call its own arguments."""
    begun = parsed(source, callees)
    if begun is None:
        return None
    made, found = begun
    changes: list[Change] = []
    for call in found:
        if len(call.args) > positional or unpacks(call):
            return None
        asked = wanted(call)
        edits = _give(made, call, asked) if asked is not None else None
        if edits is None:
            return None
        changes += edits
    return changed(made, changes) if changes else source


def argument(source: str, callee: str, value: str) -> str | None:
    """The only argument of every call of `callee` is `value`. None if one has more, or one that is not a literal."""
    begun = parsed(source, (callee,))
    if begun is None:
        return None
    made, found = begun
    changes = []
    for call in found:
        held = [*call.args, *(each.value for each in call.keywords)]
        if len(held) != 1 or not isinstance(held[0], ast.Constant) or unpacks(call):
            return None
        if not same(held[0], expression(value)):
            changes.append(Change(start=made.start(held[0]), end=made.end(held[0]), text=value))
            for each in call.keywords:
                each.value = expression(value)
            call.args = [expression(value) for _ in call.args]
    return changed(made, changes) if changes else source


def instead(source: str, callee: str, method: str, value: str) -> str | None:
    """Every call `x.callee(...)` is `x.method(value)`. None if one is not called as an attribute."""
    begun = parsed(source, (callee,))
    if begun is None:
        return None
    made, found = begun
    changes = []
    for call in found:
        if not isinstance(call.func, ast.Attribute):
            return None
        changes.append(Change(start=made.end(call.func.value), end=made.end(call), text=f".{method}({value})"))
        call.func.attr, call.args, call.keywords = method, [expression(value)], []
    return changed(made, changes) if changes else source


def unpacks(call: ast.Call) -> bool:
    return any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)


def given(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _give(made: Source, call: ast.Call, asked: Mapping[str, str]) -> list[Change] | None:
    changes, new = [], []
    for name, value in asked.items():
        held = given(call, name)
        if held is None:
            new.append(name)
        elif same(held, expression(value)):
            continue
        elif isinstance(held, ast.Constant):
            changes.append(Change(start=made.start(held), end=made.end(held), text=value))
            for each in call.keywords:
                each.value = ast.copy_location(expression(value), held) if each.arg == name else each.value
        else:
            return None
    if new:
        changes.append(_added(made, call, [f"{name}={asked[name]}" for name in new]))
        call.keywords += [ast.keyword(arg=name, value=expression(asked[name])) for name in new]
    return changes


def _added(made: Source, call: ast.Call, texts: list[str]) -> Change:
    """After the last argument, and on lines of their own if that has one."""
    held = [*call.args, *(each.value for each in call.keywords)]
    close = made.end(call) - 1
    if not held:
        return Change(start=close, end=close, text=", ".join(texts))
    last = max(held, key=made.end)
    at = _after(made.data, made.end(last), close)
    owner = next((k for k in call.keywords if k.value is last), None)
    begin = made.lines[owner.lineno - 1] + owner.col_offset if owner else made.start(last)
    line_start = made.data.rfind(b"\n", 0, begin) + 1
    rest = made.data[at : made.data.find(b"\n", at)] if b"\n" in made.data[at:] else b"x"
    indent = made.data[line_start:begin]
    if not indent.strip() and rest.strip() in (b"", b","):
        between = ",\r\n" if rest.endswith(b"\r") else ",\n"
        return Change(start=at, end=at, text="".join(between + indent.decode() + text for text in texts))
    return Change(start=at, end=at, text="".join(f", {text}" for text in texts))


def _after(data: bytes, at: int, close: int) -> int:
    """Where the argument that ends at `at` really ends: after the parentheses that are around it."""
    end = at
    while at < close and data[at : at + 1] != b",":
        if data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
        at += 1
        if data[at - 1 : at] == b")":
            end = at
    return end
