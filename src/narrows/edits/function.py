"""A decorator for the function that does all of a script's work."""

import ast

from narrows.edits.names import Names, names
from narrows.edits.setting import is_main
from narrows.edits.text import Change, changed, expression, parse, same


def decorate_main(source: str, module: str, decorator: str) -> str | None:
    """The function that `if __name__ == "__main__":` calls, and does nothing else, has `@decorator`.

    `decorator` begins with the module's name. The same source if there is no such `if`; None if that does more, or the
    function has decorators, is a generator, or is used anywhere else, or the module is not imported before it.
    """
    made = parse(source)
    if made is None:
        return None
    guards = [s for s in made.tree.body if isinstance(s, ast.If) and is_main(s.test)]
    if not guards:
        return source
    known, body = names(made.tree), guards[0].body
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    if known is None or len(guards) != 1 or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    name = call.func.id
    found = [s for s in made.tree.body if isinstance(s, ast.FunctionDef) and s.name == name]
    uses = [n for n in ast.walk(made.tree) if isinstance(n, ast.Name) and n.id == name]
    if len(found) != 1 or len(uses) != 1 or known.meanings.get(name):
        return None
    function = found[0]
    wanted = _named(made.tree, known, module, decorator, function)
    if wanted is None or any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(function)):
        return None
    if function.decorator_list:
        return (
            source
            if len(function.decorator_list) == 1 and same(function.decorator_list[0], expression(wanted))
            else None
        )
    at = made.start(function)
    newline = "\r\n" if b"\r\n" in made.data else "\n"
    function.decorator_list = [expression(wanted)]
    return changed(made, [Change(start=at, end=at, text=f"@{wanted}{newline}")])


def _named(tree: ast.Module, known: Names, module: str, decorator: str, function: ast.FunctionDef) -> str | None:
    """The decorator with the name under which the module is imported before the function."""
    for statement in tree.body[: tree.body.index(function)]:
        for alias in statement.names if isinstance(statement, ast.Import) else ():
            name = alias.asname or alias.name.partition(".")[0]
            if known.meanings.get(name) == module:
                return name + decorator.removeprefix(module)
    return None
