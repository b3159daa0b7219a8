"""Edits of the loaders that a script makes."""

import ast

from narrows.edits.arguments import Wanted, given, keywords
from narrows.edits.names import parsed

LOADER = ("torch.utils.data.DataLoader",)
POSITIONAL = 5
"""Arguments before `num_workers`."""


def loaders(source: str, wanted: Wanted) -> str | None:
    """Every loader has the arguments that `wanted` says; None if it says None of one."""
    return keywords(source, LOADER, wanted, positional=POSITIONAL)


def workers(call: ast.Call) -> ast.expr | int | None:
    """How many: a number, or a name (`args.workers`) that is only known when the script runs; None if it is neither."""
    held = given(call, "num_workers")
    if held is None:
        return 0
    if isinstance(held, ast.Constant):
        return held.value if type(held.value) is int else None
    inner = held
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    # What is called might give something else the second time.
    return held if isinstance(inner, ast.Name) else None


def kept_apart(source: str) -> bool:
    """The script changes no dataset after its loader was made: workers that stay would not see it.

    What it hands to functions is not followed; an attribute that is set, and a method that is called, is found.
    """
    begun = parsed(source, LOADER)
    if begun is None:
        return False
    made, found = begun
    sets = {
        ast.unparse(held)
        for call in found
        for held in [*call.args[:1], given(call, "dataset")]
        if isinstance(held, (ast.Name, ast.Attribute))
    }

    def dataset(node: ast.AST) -> bool:
        return isinstance(node, (ast.Name, ast.Attribute)) and (
            ast.unparse(node) in sets or (isinstance(node, ast.Attribute) and node.attr == "dataset")
        )

    for node in ast.walk(made.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and dataset(node.func.value):
            return False
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            inner: ast.AST = node.value
            while isinstance(inner, (ast.Attribute, ast.Subscript)) and not dataset(inner):
                inner = inner.value
            if dataset(inner):
                return False
    return True
