"""Rewrites a source file so that some of its statements run a few times only. Pure: text in, text out.

The batch that a loop makes by hand, the metrics and the logging are statements; a step without them is the
counterfactual of their row. What they last made of their names stays, so the loop goes on with that.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

GUARD = """
if __import__("_narrows_probe.once", fromlist=["first"]).first({number}):
    pass
    __import__("_narrows_probe.once", fromlist=["keep"]).keep({number}, {names!r}, locals())
else:
    pass
"""
RESTORE = """
if __import__("_narrows_probe.once", fromlist=["has"]).has({number}, {name!r}):
    {name} = __import__("_narrows_probe.once", fromlist=["kept"]).kept({number}, {name!r})
"""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What may go from a file."""

    costs: Mapping[int, float]
    """Seconds of a step, by line."""
    stays: Collection[int]
    """Lines that may not go."""
    least: float
    """Seconds that a statement must be worth to go."""
    number: int = 0
    """Its statements are numbered from here on."""


def leave_out(source: str, cut: Cut) -> tuple[str, list[int]]:
    """(the new source, the first lines of the statements that it leaves out). Raises SyntaxError."""
    tree = ast.parse(source)
    found: list[int] = []
    tree.body = _body(tree.body, cut, found)
    return ast.unparse(ast.fix_missing_locations(tree)), found


def _body(body: Iterable[ast.stmt], cut: Cut, found: list[int]) -> list[ast.stmt]:
    made: list[ast.stmt] = []
    for node in body:
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        definition = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if sum(cut.costs.get(line, 0.0) for line in lines) < cut.least:
            made.append(node)
        elif not definition and not any(line in cut.stays for line in lines) and not _escapes(node):
            found.append(node.lineno)
            made.append(_guarded(node, cut.number + len(found)))
        else:
            for part in _parts(node):
                part[:] = _body(part, cut, found)
            made.append(node)
    return made


def _parts(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, None)
        if isinstance(inner, list) and inner:
            yield inner
    for branch in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
        yield branch.body


def _escapes(node: ast.AST, *, looping: bool = False) -> bool:
    """Whether leaving it out would change where the program goes next."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return isinstance(node, ast.ClassDef)
    if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal, ast.Import,
                         ast.ImportFrom)):  # fmt: skip
        return True
    if isinstance(node, (ast.Break, ast.Continue)):
        return not looping
    inside = looping or isinstance(node, (ast.For, ast.While, ast.AsyncFor))
    return any(_escapes(child, looping=inside) for child in ast.iter_child_nodes(node))


def _guarded(node: ast.stmt, number: int) -> ast.stmt:
    names = tuple(sorted(_names(node)))
    made = ast.parse(GUARD.format(number=number, names=names)).body[0]
    assert isinstance(made, ast.If)
    made.body[0] = node
    for name in names:
        made.orelse.extend(ast.parse(RESTORE.format(number=number, name=name)).body)
    return made


def _names(node: ast.AST) -> set[str]:
    """Names that it binds in its own scope."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {node.name}
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return set()
    found = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    for child in ast.iter_child_nodes(node):
        found |= _names(child)
    return found
