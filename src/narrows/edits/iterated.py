"""Whether a script is in no more than one loop over each of its loaders at a time.

Workers that stay serve one loop: one that begins before the other has ended starts that one anew.
"""

import ast
from collections.abc import Iterator

from narrows.edits.loader import LOADER
from narrows.edits.names import bound, parsed

Parents = dict[ast.AST, ast.AST]
COUNTS = ("len", "isinstance", "id", "type", "print", "str", "repr")
"""Functions that only look at what they are given."""
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def one_at_a_time(source: str) -> bool:
    """As far as the script's text shows: a loop within a loop over the same expression, and the same loader in several
    functions, where one may call the other, are no sure thing."""
    begun = parsed(source, LOADER)
    if begun is None:
        return False
    made, found = begun
    parents = {child: node for node in ast.walk(made.tree) for child in ast.iter_child_nodes(node)}
    if any(_nested(loop, parents) for loop in ast.walk(made.tree)):
        return False
    iterators = [n.args[0] for n in ast.walk(made.tree) if _called(n) == "iter" and isinstance(n, ast.Call) and n.args]
    return all(_in_turn(made.tree, each, parents) for each in [*_targets(made.tree, found), *iterators])


def _nested(loop: ast.AST, parents: Parents) -> bool:
    """A loop whose body uses what it goes over, or that goes over the same twice."""
    over: list[ast.expr]
    inside: list[ast.AST]
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        over, inside = list(_over(loop.iter)), list(loop.body)
    elif isinstance(loop, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        over = [each for generator in loop.generators for each in _over(generator.iter)]
        inside = [n for n in ast.iter_child_nodes(loop) if not isinstance(n, ast.comprehension)]
    else:
        return False
    texts = {ast.unparse(each) for each in over}
    used = (node for part in inside for node in ast.walk(part))
    return len(texts) < len(over) or any(_used(n, parents) and ast.unparse(n) in texts for n in used)


def _over(node: ast.expr) -> Iterator[ast.expr]:
    """What a loop over this goes over: `loader`, of `enumerate(tqdm(loader))`."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        yield node
    elif isinstance(node, ast.Starred):
        yield from _over(node.value)
    elif isinstance(node, ast.Call) and _called(node) not in ("range", *COUNTS):
        for each in node.args:
            yield from _over(each)


def _targets(tree: ast.AST, found: list[ast.Call]) -> Iterator[ast.expr]:
    """What loaders are bound to, also those that a function of the script makes."""
    makers = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(each in found for each in ast.walk(node))
    }
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) or node.value is None:
            continue
        if any(each in found or _called(each) in makers for each in ast.walk(node.value)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                held = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
                yield from (each for each in held if isinstance(each, (ast.Name, ast.Attribute, ast.Subscript)))


def _in_turn(tree: ast.AST, loader: ast.expr, parents: Parents) -> bool:
    """Its uses come one after the other: in one function, each in a statement of its own, none kept open."""
    text, owner = ast.unparse(loader), _owner(tree, loader, parents)
    uses = [
        node
        for node in ast.walk(tree)
        if _used(node, parents) and ast.unparse(node) == text and _owner(tree, node, parents) is owner
    ]
    if len(uses) < 2:
        return True
    around = {_up(node, parents, SCOPES) for node in uses}
    statements = {_up(node, parents, (ast.stmt,)) for node in uses}
    return len(around) == 1 and len(statements) == len(uses) and not any(_kept_open(node, parents) for node in uses)


def _used(node: ast.AST, parents: Parents) -> bool:
    """The value goes somewhere: it is not only counted, compared, asked for an attribute, or returned."""
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or not isinstance(node.ctx, ast.Load):
        return False
    parent = parents.get(node)
    while isinstance(parent, (ast.Tuple, ast.List, ast.Dict)):
        parent = parents.get(parent)
    if isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is node:
        return False
    return not isinstance(parent, (ast.Return, ast.Compare)) and _called(parent) not in COUNTS


def _kept_open(node: ast.AST, parents: Parents) -> bool:
    """`it = iter(loader)`: only as `next(iter(loader))` it is gone at once."""
    call = parents.get(node)
    return _called(call) == "iter" and _called(parents.get(call) if call else None) != "next"


def _owner(tree: ast.AST, node: ast.AST, parents: Parents) -> ast.AST | None:
    """The function whose own name it is; None where it is the module's, or an attribute."""
    if not isinstance(node, ast.Name):
        return None
    if any(isinstance(n, (ast.Global, ast.Nonlocal)) and node.id in n.names for n in ast.walk(tree)):
        return None
    scope = _up(node, parents, SCOPES)
    while scope is not None and not any(node.id in bound(each) for each in ast.walk(scope)):
        scope = _up(scope, parents, SCOPES)
    return scope


def _up(node: ast.AST, parents: Parents, kinds: tuple[type[ast.AST], ...]) -> ast.AST | None:
    up = parents.get(node)
    while up is not None and not isinstance(up, kinds):
        up = parents.get(up)
    return up


def _called(node: ast.AST | None) -> str:
    """The name of a function that is called by it."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
