"""The repeated blocks of a model: children of one class in a ModuleList or a Sequential."""

from __future__ import annotations

from typing import Any

FEWEST = 2


def lists(torch: Any, module: Any) -> list[list[Any]]:
    """Lists of blocks, none inside of another's block; the model's order."""
    found: list[list[Any]] = []
    inside: set[int] = set()
    for part in module.modules():  # a parent comes before what is in it
        if id(part) in inside or not isinstance(part, (torch.nn.ModuleList, torch.nn.Sequential)):
            continue
        children = [c for c in part.children() if next(c.parameters(), None) is not None]
        composed = all(next(c.children(), None) is not None for c in children)  # no bare layers
        if len(children) >= FEWEST and composed and len({type(c) for c in children}) == 1:
            if isinstance(children[0], torch.nn.Sequential):
                continue  # stages: their blocks come later
            found.append(children)
            inside.update(id(inner) for c in children for inner in c.modules())
    return found
