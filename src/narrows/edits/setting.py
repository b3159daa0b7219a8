"""A setting of the framework, made once, right after the script has imported it."""

import ast
from dataclasses import dataclass

from narrows.edits.names import names
from narrows.edits.text import Source, changed, line_after, mentions, parse, same


def setting(source: str, module: str, line: str, pattern: str) -> str | None:
    """The script sets it with `line`, as after `after_import`.

    None if a name or string of the script matches `pattern`: what else it does with the setting is not known.
    """
    made = parse(source)
    if made is None:
        return None
    if not mentions(made.tree, pattern):
        return after_import(source, module, line)
    place = _place(made, module, line)
    if place is None or not place.taken:
        return None
    place.body[:] = [each for each in place.body if not same(each, place.statement)]
    return None if mentions(made.tree, pattern) else source


def plain(source: str, pattern: str) -> bool:
    """Whatever matches stands in statements of their own that run once: of the file, of what it does as the main script,
    or of its function `main`; not under a condition, nor in a function that a loader's workers may call."""
    made = parse(source)
    if made is None:
        return False
    bodies = [made.tree.body]
    for each in made.tree.body:
        if (isinstance(each, ast.If) and is_main(each.test)) or (
            isinstance(each, ast.FunctionDef) and each.name == "main"
        ):
            bodies.append(each.body)
    for body in bodies:
        body[:] = [each for each in body if not (isinstance(each, ast.Expr) and mentions(each, pattern))]
    return not mentions(made.tree, pattern)


def after_import(source: str, module: str, line: str) -> str | None:
    """`line`, which begins with the module's name, follows the imports among which the script imports `module`.

    They are the first such at the top of the file, or else in its `if __name__ == "__main__":`; where the module has
    another name there, the line has it too. The same source if it never imports the module, or has the line already;
    None if it does so only elsewhere (in a function, after `try`), or the name is also bound to something else.
    """
    made = parse(source)
    if made is None:
        return None
    if not _imports_somewhere(made, module):
        return source
    place = _place(made, module, line)
    if place is None or place.taken:
        return None if place is None else source
    change = line_after(made, place.body[place.last], place.line)
    place.body.insert(place.last + 1, place.statement)
    return None if change is None else changed(made, [change])


def _imports_somewhere(made: Source, module: str) -> bool:
    return any(
        (isinstance(n, ast.Import) and any(f"{a.name}.".startswith(f"{module}.") for a in n.names))
        or (isinstance(n, ast.ImportFrom) and not n.level and f"{n.module}.".startswith(f"{module}."))
        for n in ast.walk(made.tree)
    )


@dataclass(frozen=True, kw_only=True)
class Place:
    body: list[ast.stmt]
    last: int
    """The last import of the block."""
    line: str
    """With the name that the module has there."""

    @property
    def statement(self) -> ast.stmt:
        return ast.parse(self.line).body[0]

    @property
    def taken(self) -> bool:
        return any(same(each, self.statement) for each in self.body)


def _place(made: Source, module: str, line: str) -> Place | None:
    known = names(made.tree)
    if known is None:
        return None
    bodies = [made.tree.body, *(s.body for s in made.tree.body if isinstance(s, ast.If) and is_main(s.test))]
    for body in bodies:
        for i, statement in enumerate(body):
            for alias in statement.names if isinstance(statement, ast.Import) else ():
                name = alias.asname or alias.name.partition(".")[0]
                if known.meanings.get(name) == module:
                    while i + 1 < len(body) and isinstance(body[i + 1], (ast.Import, ast.ImportFrom)):
                        i += 1
                    return Place(body=body, last=i, line=name + line.removeprefix(module))
    return None


def is_main(test: ast.expr) -> bool:
    return ast.unparse(test) in ("__name__ == '__main__'", "'__main__' == __name__")
