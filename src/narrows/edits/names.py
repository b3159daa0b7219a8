"""What the names of a script mean, as far as its imports say so."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from narrows.edits.text import Source, mentions, parse


@dataclass(frozen=True, kw_only=True)
class Names:
    meanings: dict[str, str]
    """Dotted, by name: only names that are bound by imports alone, and all to the same."""
    unclear: frozenset[str]
    """Dotted meanings of names that something else in the script binds too, in whatever scope."""

    def meaning(self, node: ast.AST) -> str | None:
        if isinstance(node, ast.Name):
            return self.meanings.get(node.id)
        if isinstance(node, ast.Attribute):
            before = self.meaning(node.value)
            return f"{before}.{node.attr}" if before else None
        return None

    def doubtful(self, dotted: str) -> bool:
        """A name that stands for it, or for what it is in, may stand for something else."""
        return any(dotted == each or dotted.startswith(each + ".") for each in self.unclear)


def names(tree: ast.AST) -> Names | None:
    """None if the script imports names that it does not name (`from x import *`)."""
    meanings: dict[str, set[str]] = {}
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                meanings.setdefault(alias.asname or first, set()).add(alias.name if alias.asname else first)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    return None
                dotted = f"{'.' * node.level}{node.module or ''}.{alias.name}"
                meanings.setdefault(alias.asname or alias.name, set()).add(dotted)
        else:
            others.update(bound(node))
    clear = {name for name, found in meanings.items() if len(found) == 1 and name not in others}
    return Names(
        meanings={name: next(iter(meanings[name])) for name in clear},
        unclear=frozenset(each for name, found in meanings.items() if name not in clear for each in found),
    )


def bound(node: ast.AST) -> Iterator[str]:
    """Names that a node binds, other than by import."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def calls(tree: ast.AST, callees: Collection[str]) -> list[ast.Call] | None:
    """Every call of these, given by what they are called in full (`torch.utils.data.DataLoader`).

    None if the script uses one of them, or the module that it is in, in another way: under another name, as a base
    class, handed to a function. As an annotation and in `isinstance` is fine.
    """
    known = names(tree)
    if known is None or any(known.doubtful(callee) for callee in callees):
        last = "|".join(callee.rpartition(".")[2] for callee in callees)
        return None if mentions(tree, rf"\b({last})\b") else []
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    modules = {callee.rpartition(".")[0] for callee in callees}
    found = []
    for node in ast.walk(tree):
        dotted = known.meaning(node)
        if dotted is None:
            continue
        parent = parents[node]
        if dotted in callees and isinstance(parent, ast.Call) and parent.func is node:
            # Within an f-string, Python before 3.12 does not know where things are.
            if _within(parents, node, ast.JoinedStr):
                return None
            found.append(parent)
        elif dotted in callees and not _only_a_type(parents, node):
            return None
        elif dotted in modules and "." in dotted and not isinstance(parent, ast.Attribute):
            return None
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            if any(callee == dotted or callee.startswith(dotted + ".") for callee in callees):
                return None
    return found


def parsed(source: str, callees: Collection[str]) -> tuple[Source, list[ast.Call]] | None:
    """A source with every call of these; None if it cannot be read, or it is not clear which calls those are."""
    made = parse(source)
    found = calls(made.tree, callees) if made else None
    return None if made is None or found is None else (made, found)


def _within(parents: dict[ast.AST, ast.AST], node: ast.AST | None, kind: type[ast.AST]) -> bool:
    while node is not None and not isinstance(node, kind):
        node = parents.get(node)
    return node is not None


def _only_a_type(parents: dict[ast.AST, ast.AST], node: ast.AST) -> bool:
    """It stands in an annotation, or in `isinstance`."""
    while (parent := parents.get(node)) is not None:
        if isinstance(parent, (ast.arg, ast.AnnAssign)) and parent.annotation is node:
            return True
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)) and parent.returns is node:
            return True
        if isinstance(parent, ast.Call):
            return isinstance(parent.func, ast.Name) and parent.func.id in ("isinstance", "issubclass")
        if not isinstance(parent, ast.expr):
            return False
        node = parent
    return False
