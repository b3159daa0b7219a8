"""Edits of the loaders that a script makes."""

import ast

from narrows.edits.arguments import Wanted, given, keywords
from narrows.edits.names import parsed
from narrows.edits.text import mentions, parse

LOADER = ("torch.utils.data.DataLoader",)
POSITIONAL = 5
"""Arguments before `num_workers`."""

STREAMS = r"\b(IterableDataset|IterDataPipe|WebDataset|streaming)\b"
SHARED = (
    "open",
    "File",
    "connect",
    "ZipFile",
    "VideoCapture",
    "default_rng",
    "RandomState",
    "Random",
    "Generator",
    "iter",
)
"""What gives an object that forked workers share or repeat: a file with a place in it, a generator."""


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


def streams(source: str) -> bool:
    """The script has a dataset that gives its samples one after the other, or cannot be read."""
    made = parse(source)
    return made is None or mentions(made.tree, STREAMS)


def shared(source: str) -> bool:
    """A dataset of the script keeps what forked workers would share or repeat, or the script cannot be read."""
    made = parse(source)
    if made is None:
        return True
    for node in ast.walk(made.tree):
        if isinstance(node, ast.ClassDef) and any(getattr(each, "name", "") == "__getitem__" for each in node.body):
            for line in ast.walk(node):
                if isinstance(line, (ast.Assign, ast.AnnAssign)) and _kept(line) and _shares(line.value):
                    return True
    return False


def _kept(line: ast.Assign | ast.AnnAssign) -> bool:
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    return any(isinstance(part, ast.Attribute) for target in targets for part in ast.walk(target))


def _shares(value: ast.expr | None) -> bool:
    made = (node.func for node in ast.walk(value) if isinstance(node, ast.Call)) if value else ()
    return any(getattr(function, "id", getattr(function, "attr", "")) in SHARED for function in made)
