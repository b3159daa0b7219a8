"""Edits of how a script makes a DistributedDataParallel."""

import ast

from narrows.edits.arguments import given, keywords

CALLEE = "torch.nn.parallel.DistributedDataParallel"
POSITIONAL = 3
"""Arguments that may be given by position: the module and its devices."""


def parallel(source: str, name: str, value: str, *, only_given: bool = False) -> str | None:
    """Every one has `name=value`; with `only_given`, each that has the argument. None if it is not clear which has."""

    def wanted(call: ast.Call) -> dict[str, str]:
        return {} if only_given and given(call, name) is None else {name: value}

    return keywords(source, [CALLEE], wanted, positional=POSITIONAL)
