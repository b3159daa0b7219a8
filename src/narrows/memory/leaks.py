"""Tensors that become more from step to step, who holds them, and the line that keeps them. Pure."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from narrows.spool.record import Process

GROWS = frozenset(("append", "extend", "add", "insert", "appendleft", "setdefault", "update", "put"))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, kw_only=True)
class Leak:
    bytes_per_step: int
    """Of tensors. 0 where an autograd graph grows that has none any more."""
    count_per_step: float
    """Tensors."""
    nodes_per_step: float
    """Nodes of autograd graphs: some hundred bytes each."""
    made_at: str
    """`file:line` of most of its bytes; empty if only a graph grows."""
    held_by: str | None
    """`losses`, `Trainer.outputs`, `logs['loss']`."""
    kind: str
    """Of the holder: `list`, `dict`, `tensor` or another type's name; empty if it is not known."""
    where: str
    """`global`, `local function` or `attribute`."""
    function: str
    """Whose local it is."""
    held_at: str | None
    """`file:line` that keeps one more in each step."""
    graph: bool
    """Autograd graphs are kept with the tensors, or are all that keeps them."""


def leaks(process: Process, source: Callable[[str], str | None]) -> list[Leak]:
    """Of a memory run, the largest first. `source`: a file's text, or None. A step is a boundary."""
    sites = [row for event in process.events.get("memory_sites", ()) for row in event["sites"]]
    text = _Sources(source)
    parts: dict[tuple[object, ...], list[tuple[Mapping[str, Any], str, Mapping[str, Any] | None, str | None]]] = {}
    for group in process.last("growth").get("groups", ()):
        if any(holder.get("most") for holder in group["holders"]):
            continue  # a buffer that is not full yet
        place = sites[group["site"]][3] if 0 <= group["site"] < len(sites) else None
        holder, held_at = _holder(group["holders"], place, text, [row[3][0] for row in sites if row[3]])
        made_at = f"{place[0]}:{place[1]}" if place else ""
        key = (holder["name"], holder["file"], held_at) if holder else (made_at,)
        parts.setdefault(key, []).append((group, made_at, holder, held_at))
    return sorted((_leak(each) for each in parts.values()), key=lambda leak: -leak.bytes_per_step)


def _leak(parts: Sequence[tuple[Mapping[str, Any], str, Mapping[str, Any] | None, str | None]]) -> Leak:
    """Of all that one holder holds."""
    by_line: dict[str, float] = {}
    for group, made_at, _, _ in parts:
        by_line[made_at] = by_line.get(made_at, 0) + group["per_step_bytes"]
    _, _, holder, held_at = parts[0]
    return Leak(
        bytes_per_step=round(sum(by_line.values())),
        count_per_step=sum(group["per_step_count"] for group, *_ in parts),
        nodes_per_step=max(group["nodes"] for group, *_ in parts),
        made_at=max(by_line, key=lambda line: by_line[line]),
        held_by=holder["name"] if holder else None,
        kind=holder["kind"] if holder else "",
        where=holder["where"] if holder else "",
        function=(holder["function"] or "") if holder else "",
        held_at=held_at,
        graph=any(group["graph"] for group, *_ in parts),
    )


def _holder(
    holders: Sequence[Mapping[str, Any]], place: Sequence[Any] | None, text: "_Sources", files: Sequence[str]
) -> tuple[Mapping[str, Any] | None, str | None]:
    """The first one that a line adds to: of a hidden state and the loss that comes of it, the hidden state."""
    for holder in holders:
        for file in dict.fromkeys(f for f in (holder["file"], place[0] if place else None, *files) if f):
            line = text.grows(file, holder, place[1] if place and place[0] == file else None)
            if line is not None:
                return holder, f"{file}:{line}"
    return (holders[0] if holders else None), None


class _Sources:
    def __init__(self, source: Callable[[str], str | None]) -> None:
        self.source = source
        self.trees: dict[str, ast.Module | None] = {}

    def grows(self, file: str, holder: Mapping[str, Any], near: int | None) -> int | None:
        """The line where the holder gets one more; of several, one in its function, and the nearest."""
        tree = self._tree(file)
        if tree is None:
            return None
        name = holder["name"].split("[")[0].rpartition(".")[2]
        lines = sorted(line for part in ast.walk(tree) for line in _adds(part, name, holder["where"] == "attribute"))
        first, last = _range(tree, holder)
        own = [line for line in lines if first <= line <= last] or lines
        return min(own, key=lambda line: abs(line - (near or 0)), default=None)

    def _tree(self, file: str) -> ast.Module | None:
        if file not in self.trees:
            try:
                text = self.source(file)
                self.trees[file] = ast.parse(text) if text is not None else None
            except (SyntaxError, ValueError):
                self.trees[file] = None
        return self.trees[file]


def _range(tree: ast.Module, holder: Mapping[str, Any]) -> tuple[int, float]:
    """First and last line of the function whose local it is; of others, all."""
    for node in ast.walk(tree):
        if holder["line"] and isinstance(node, _FUNCTIONS) and node.name == holder["function"]:
            start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if start == holder["line"]:
                return start, node.end_lineno or start
    return 0, float("inf")


def _adds(part: ast.AST, name: str, attribute: bool) -> Iterator[int]:
    """Lines of `name.append(...)`, `name += ...`, `name = name + ...`, `name[...] = ...` and the like."""

    def is_it(node: ast.AST, *, inner: bool = True) -> bool:
        while inner and isinstance(node, (ast.Subscript, ast.Call)):
            node = node.value if isinstance(node, ast.Subscript) else node.func
            node = node.value if isinstance(node, ast.Attribute) and node.attr in ("setdefault", "get") else node
        if isinstance(node, ast.Attribute):
            return attribute and node.attr == name
        return isinstance(node, ast.Name) and not attribute and node.id == name

    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
        if part.func.attr in GROWS and is_it(part.func.value):
            yield part.func.end_lineno or part.lineno
    elif isinstance(part, ast.AugAssign) and is_it(part.target):
        yield part.lineno
    elif isinstance(part, ast.Assign):
        targets = [each for target in part.targets for each in ast.walk(target)]
        if any(isinstance(each, ast.Subscript) and is_it(each.value) for each in targets):
            yield part.lineno
        elif any(is_it(each, inner=False) for each in targets) and any(map(is_it, ast.walk(part.value))):
            yield part.lineno
