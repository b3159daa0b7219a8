"""What each line of the training loop is for, from the user's source: a backward slice from the model's arguments.

A line in a gap makes the next batch (`input`), computes the loss or belongs to the update (`framework`), feeds the
model with something that depends on what the model said before (`feedback`: a simulator, a hidden state), or does
neither (`host`: metrics, logging). The slice is within one function, flow-insensitive, and never runs the code.
"""

import ast
import builtins
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

MODEL, UPDATE, BACKWARD, LOADER = 1, 2, 4, 8
"""Bits of a site, as `probe/places.py` writes them."""
FRAMEWORK_CALLS = frozenset(
    ("zero_grad", "unscale_", "clip_grad_norm_", "clip_grad_value_", "train", "eval", "no_sync", "requires_grad_",
     "set_epoch", "autocast", "no_grad", "inference_mode", "enable_grad", "set_grad_enabled", "clip_gradients")
)  # fmt: skip
SCHEDULERS = re.compile(r"sched|scaler|opt|lr", re.IGNORECASE)
FRAMEWORK_MODULES = frozenset(("torch", "F", "functional", "nn", "np", "numpy", "math"))
RANK = ("model", "framework", "input", "feedback", "host")
BUILTINS = frozenset(dir(builtins))
MUTATORS = frozenset(("append", "extend", "add", "update", "insert", "appendleft", "copy_", "fill_", "put"))


@dataclass
class Statement:
    first: int
    last: int
    node: ast.stmt
    defines: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    """Dotted names of what it calls."""
    bits: int = 0


def roles(file: str, first_line: int, sites: Iterable[tuple[int, int]]) -> dict[int, str]:
    """line -> role, for the function of `file` that starts at `first_line` (0 or 1: the module itself).

    `sites` are (line, bits) where the model, the backward, the update or the loader is called. Empty if the source
    cannot be read. Roles: `input`, `framework`, `feedback`, `host`, `model` (the line of a model call).
    """
    body = _body(file, first_line)
    if body is None:
        return {}
    statements = list(_flatten(body))
    for line, bits in sites:
        for found in _at(statements, line):
            found.bits |= bits
    named = _classify(statements, _functions(file))
    result: dict[int, str] = {}
    # An inner statement says more than the one around it; of several on one line, the one that the loop is about.
    for statement in sorted(statements, key=lambda s: (s.first - s.last, -RANK.index(named[id(s)]))):
        for line in range(statement.first, statement.last + 1):
            result[line] = named[id(statement)]
    return result


def _classify(statements: list[Statement], own: frozenset[str]) -> dict[int, str]:
    """`own` are the functions that the file itself defines."""
    models = [s for s in statements if s.bits & MODEL]
    ends = [s for s in statements if s.bits & (BACKWARD | UPDATE)]
    said = _forward(statements, {name for s in models for name in s.defines})
    asked = _backward(statements, {name for s in models for name in s.uses})
    needed = _backward(statements, {name for s in [*models, *ends] for name in s.uses})
    roles: dict[int, str] = {}
    for s in statements:
        if s.bits & MODEL:
            role = "model"
        elif s.bits & (BACKWARD | UPDATE) or _of_the_framework(s, own):
            role = "framework"
        elif s.bits & LOADER:
            role = "input"
        elif s.defines & needed:
            if not s.uses & said:
                role = "input"
            elif s.defines & asked and _of_the_user(s, said):
                role = "feedback"
            else:
                role = "framework" if _before(s, ends, models) else "feedback"
        else:
            role = "host"
        roles[id(s)] = role
    return roles


def _of_the_user(s: Statement, said: set[str]) -> bool:
    """Calls something of the user's (`env.step(action)`), not a method of what the model said or of torch."""
    for call in s.calls:
        owner = call.rpartition(".")[0]
        root = ".".join(owner.split(".")[:2]) if owner.startswith("self.") else owner.split(".")[0]
        if root not in said and root not in FRAMEWORK_MODULES and call not in BUILTINS:
            return True
    return False


def _before(s: Statement, ends: list[Statement], models: list[Statement]) -> bool:
    """Between a model call and a backward: the loss."""
    return any(m.first <= s.first for m in models) and any(s.first <= e.first for e in ends)


def _forward(statements: list[Statement], names: set[str]) -> set[str]:
    """Names that depend on these."""
    found = set(names)
    while True:
        more = {d for s in statements if s.uses & found for d in s.defines} - found
        if not more:
            return found
        found |= more


def _backward(statements: list[Statement], names: set[str]) -> set[str]:
    """Names that these depend on."""
    found = set(names)
    while True:
        more = {u for s in statements if s.defines & found for u in s.uses} - found
        if not more:
            return found
        found |= more


def _of_the_framework(s: Statement, own: frozenset[str]) -> bool:
    if not s.calls or isinstance(s.node, (ast.For, ast.AsyncFor)):
        return False
    for call in s.calls:
        owner, _, name = call.rpartition(".")
        if owner in ("", "self") and name in own:
            continue
        if name in FRAMEWORK_CALLS or (name in ("step", "update") and SCHEDULERS.search(owner)):
            return True
    return False


def _at(statements: list[Statement], line: int) -> list[Statement]:
    """The smallest statements that hold the line: several, if they stand on one line."""
    found = [s for s in statements if s.first <= line <= s.last]
    least = min((s.last - s.first for s in found), default=0)
    return [s for s in found if s.last - s.first == least]


@lru_cache(maxsize=64)
def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def _functions(file: str) -> frozenset[str]:
    tree = _tree(file)
    every = ast.walk(tree) if tree is not None else ()
    return frozenset(node.name for node in every if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _body(file: str, first_line: int) -> list[ast.stmt] | None:
    tree = _tree(file)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            starts = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first_line in (starts, node.lineno) and first_line > 0:
                return node.body
    return tree.body if first_line <= 1 else None


def _flatten(body: Iterable[ast.stmt]) -> Iterable[Statement]:
    """Simple statements as they are; of compound ones the header, and then what is inside."""
    for node in body:
        inner = [child for name in ("body", "orelse", "finalbody") for child in getattr(node, name, [])]
        for handler in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            inner.extend(handler.body)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        last = min((child.lineno for child in inner), default=(node.end_lineno or node.lineno) + 1) - 1
        statement = Statement(first=node.lineno, last=max(node.lineno, last), node=node)
        for part in _header(node):
            _names(part, statement)
        yield statement
        yield from _flatten(inner)


def _header(node: ast.stmt) -> list[ast.AST]:
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [node.target, node.iter]
    if isinstance(node, (ast.While, ast.If)):
        return [node.test]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return list(node.items)
    if isinstance(node, ast.Match):
        return [node.subject]
    if isinstance(node, ast.Try):
        return []
    return [node]


def _names(part: ast.AST, statement: Statement) -> None:
    for node in ast.walk(part):
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = _dotted(node)
            if name is None:
                continue
            if isinstance(node.ctx, ast.Store):
                statement.defines.add(name)
            elif isinstance(node, ast.Name) or name.startswith("self."):
                statement.uses.add(name)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            name = _dotted(node.value)
            if name is not None:
                statement.defines.add(name)
        elif isinstance(node, ast.Call):
            called = _dotted(node.func, whole=True)
            if called is not None:
                statement.calls.add(called)
                owner, _, method = called.rpartition(".")
                if owner and method in MUTATORS:
                    statement.defines.add(owner if owner.startswith("self.") else owner.split(".")[0])
    if isinstance(part, ast.AugAssign):
        name = _dotted(part.target)
        if name is not None:
            statement.uses.add(name)


def _dotted(node: ast.AST, *, whole: bool = False) -> str | None:
    """`x` for x.y.z, `self.x` for self.x.y; the whole dotted name where asked for."""
    parts: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        else:
            node = node.value if isinstance(node, ast.Subscript) else node.func
    if not isinstance(node, ast.Name):
        return None
    parts.append(node.id)
    parts.reverse()
    if whole:
        return ".".join(parts)
    return ".".join(parts[:2]) if parts[0] == "self" and len(parts) > 1 else parts[0]
