"""A line after the one that makes the model."""

import ast
import re

from narrows.edits.arguments import given
from narrows.edits.names import Names, bound, calls, names
from narrows.edits.text import changed, line_after, mentions, parse, same

WRAPS = r"(?i)compile|\bjit\b|parallel|accelerat|fsdp|deepspeed|lightning|fabric"
"""Words of scripts that do more with a model than to call it."""
MOVES = ("to", "cuda", "cpu", "train", "eval", "float", "double", "half", "bfloat16")
"""Methods that give the model itself."""
KINDS = r"torch\.optim\.[A-Z]\w*"


def after_model(source: str, method: str) -> str | None:
    """`model.METHOD` follows the last line that makes the model, before its optimizer is made.

    Only where there is no doubt what the model is: the file makes one optimizer, `x = torch.optim.X(model.parameters())`,
    and in the same block before it `model = Net(...)`, of a class in this file that is an `nn.Module` by its own
    first line. None if the name is bound in another way too, or a word of the script says that the model is wrapped.
    """
    made = parse(source)
    known = names(made.tree) if made else None
    if made is None or known is None:
        return None
    kinds = {dotted for node in ast.walk(made.tree) if (dotted := known.meaning(node)) and re.fullmatch(KINDS, dotted)}
    if not kinds:
        return source
    made_here = calls(made.tree, kinds)
    if made_here is None or len(made_here) != 1:
        return None
    learns = _learns(made_here[0])
    scope, body = _block(made.tree, made_here[0])
    if learns is None or body is None:
        return None
    line = ast.parse(f"{learns}.{method}").body[0]
    there = any(same(each, line) for each in body)
    body[:] = [each for each in body if not same(each, line)]
    optimizer = next(i for i, s in enumerate(body) if isinstance(s, ast.Assign) and s.value is made_here[0])
    last = _last(made.tree, scope, body[:optimizer], learns, known)
    if last is None or mentions(made.tree, WRAPS):
        return None
    if there:
        return source
    change = line_after(made, body[last], f"{learns}.{method}")
    body.insert(last + 1, line)
    return None if change is None else changed(made, [change])


def _learns(call: ast.Call) -> str | None:
    """`model`, of `torch.optim.X(model.parameters(), ...)`."""
    held = call.args[0] if call.args else given(call, "params")
    if isinstance(held, ast.Call) and isinstance(held.func, ast.Attribute) and isinstance(held.func.value, ast.Name):
        return held.func.value.id if held.func.attr == "parameters" else None
    return None


def _block(tree: ast.Module, call: ast.Call) -> tuple[ast.AST, list[ast.stmt] | None]:
    """(the function or module, the statements) where `x = call` is one of the statements."""

    def look(scope: ast.AST, node: ast.AST) -> tuple[ast.AST, list[ast.stmt] | None]:
        for held in (getattr(node, "body", None), getattr(node, "orelse", None), getattr(node, "finalbody", None)):
            for statement in held if isinstance(held, list) else ():
                if isinstance(statement, ast.Assign) and statement.value is call:
                    return scope, held
                inner = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                found = look(statement if inner else scope, statement)
                if found[1] is not None:
                    return found
        return scope, None

    return look(tree, tree)


def _last(tree: ast.Module, scope: ast.AST, before: list[ast.stmt], name: str, known: Names) -> int | None:
    """Which of the statements makes the model, or moves it, last; None unless all that binds the name is among them."""
    found: list[int] = []
    for i, statement in enumerate(before):
        if isinstance(statement, ast.Assign) and _is(statement.targets, name):
            held = statement.value
            while isinstance(held, ast.Call) and isinstance(held.func, ast.Attribute) and held.func.attr in MOVES:
                held = held.func.value
            if isinstance(held, ast.Call) and isinstance(held.func, ast.Name):
                if not _module(tree, held.func.id, known):
                    return None
            elif not found or not (isinstance(held, ast.Name) and held.id == name):
                return None
            found.append(i)
    words = [n for n in ast.walk(tree) if isinstance(n, (ast.Global, ast.Nonlocal)) and name in n.names]
    return found[-1] if found and not words and _stores(scope, name) == len(found) else None


def _is(targets: list[ast.expr], name: str) -> bool:
    return len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id == name


def _module(tree: ast.Module, name: str, known: Names) -> bool:
    """A class of this file, made once, that is an `nn.Module` and leaves calling and compiling to it."""
    made = [s for s in tree.body if isinstance(s, ast.ClassDef) and s.name == name]
    if len(made) != 1 or _stores(tree, name) != 1 or made[0].decorator_list:
        return False
    methods = {s.name for s in made[0].body if isinstance(s, ast.FunctionDef)}
    bases = [known.meaning(base) for base in made[0].bases]
    return bases == ["torch.nn.Module"] and not methods & {*MOVES, "compile", "__call__", "__getattr__", "parameters"}


def _stores(scope: ast.AST, name: str) -> int:
    """How often the name is bound in this scope, and not in one within."""
    count, left = 0, list(ast.iter_child_nodes(scope))
    while left:
        node = left.pop()
        count += list(bound(node)).count(name)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            count += sum((alias.asname or alias.name) == name for alias in node.names)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            left += ast.iter_child_nodes(node)
    return count
