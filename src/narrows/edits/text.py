"""A source with its syntax tree, and changes of its text."""

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

ODD = re.compile("\r(?!\n)|\f")
"""What editors and Python do not agree about where lines end."""


@dataclass(frozen=True, kw_only=True)
class Source:
    text: str
    data: bytes
    """The text in UTF-8, which is what Python counts columns in."""
    tree: ast.Module
    """An edit changes it along with the text."""
    lines: tuple[int, ...]
    """Where each line starts, in bytes."""

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


@dataclass(frozen=True, kw_only=True)
class Change:
    start: int
    end: int
    """Bytes. The same as `start` where something is put in."""
    text: str


def parse(text: str) -> Source | None:
    """None if it is not Python, or its lines end in odd ways."""
    if ODD.search(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the script's own strings
            tree = ast.parse(text)
        data = text.encode()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    starts = (0, *(i + 1 for i, byte in enumerate(data) if byte == 10))
    return Source(text=text, data=data, tree=tree, lines=starts)


def changed(source: Source, changes: Iterable[Change]) -> str | None:
    """The new text; None if it does not say what `source.tree`, changed by the caller, says."""
    data = source.data
    for change in sorted(changes, key=lambda c: c.start, reverse=True):
        data = data[: change.start] + change.text.encode() + data[change.end :]
    new = data.decode()
    made = parse(new)
    try:
        return new if made is not None and ast.dump(made.tree) == ast.dump(source.tree) else None
    except RecursionError:
        return None


def line_after(source: Source, statement: ast.stmt, line: str) -> Change | None:
    """A line of its own, as far in as the statement. None if the statement shares its first or last line."""
    start, end = source.start(statement), source.end(statement)
    indent = source.data[source.data.rfind(b"\n", 0, start) + 1 : start].decode()
    rest, newline, _ = source.data[end:].partition(b"\n")
    if indent.strip() or not re.fullmatch(rb"\s*;?\s*(#.*)?", rest, re.DOTALL):
        return None
    at = end + len(rest) + len(newline)
    ends = "\r\n" if b"\r\n" in source.data else "\n"
    return Change(start=at, end=at, text=f"{indent}{line}{ends}" if newline else f"{ends}{indent}{line}")


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def same(one: ast.AST, other: ast.AST) -> bool:
    return ast.dump(one) == ast.dump(other)


def mentions(tree: ast.AST, pattern: str) -> bool:
    """Whether a name or a string of the program matches, wherever it is. Comments do not count."""
    found = re.compile(pattern)
    for node in ast.walk(tree):
        for _, value in ast.iter_fields(node):
            words = value if isinstance(value, list) else [value]
            if any(isinstance(word, str) and found.search(word) for word in words):
                return True
    return False
