"""Whose a storage is. Seen at each update, while gradients and the optimizer's state are there."""

from collections.abc import Iterable
from typing import Any

from .. import remedies, shards
from ..hooks import module, optimizer
from .track import Book

PARAMETER, GRADIENT, STATE, BUFFER = 1, 2, 3, 4


def note(torch: Any, book: Book, learned: set[int]) -> None:
    """Mark parameters, buffers, gradients and the optimizers' states. `learned`: the storages of parameters that had a
    gradient are put in, as that may be a sparse one and tell nothing of how large they are."""
    tensor = torch.Tensor

    def mark(value: Any, kind: int) -> None:
        value = shards.local(value)
        if isinstance(value, tensor) and value.layout is torch.strided:
            known = book.alive.get(value.untyped_storage()._cdata)
            if known is not None:
                book.kind[known.number] = kind
                if kind == PARAMETER and value.grad is not None:
                    learned.add(known.number)
        elif isinstance(value, tensor):
            mark(value._indices(), kind)
            mark(value._values(), kind)
        elif isinstance(value, (list, tuple)):
            for item in value:
                mark(item, kind)
        elif isinstance(value, dict):
            for item in value.values():
                mark(item, kind)

    for reference in module.models:
        model = reference()
        if model is None:
            continue
        for buffer in model.buffers():
            mark(buffer, BUFFER)
        for parameter in model.parameters():
            mark(parameter, PARAMETER)
            mark(parameter.grad, GRADIENT)
    for reference in optimizer.optimizers:
        each = reference()
        if each is None:
            continue
        for state in list(each.state.values()):
            mark(state, STATE)
        for group in each.param_groups:
            for parameter in group["params"]:
                mark(parameter, PARAMETER)
                mark(parameter.grad, GRADIENT)


def owners(book: Book) -> dict[int, int]:
    """Which model each parameter's storage belongs to, by their numbers; the first one that has it."""
    found: dict[int, int] = {}
    for who, reference in enumerate(module.models):
        for parameter in getattr(reference(), "parameters", list)():
            known = book.alive.get(shards.local(parameter).untyped_storage()._cdata)
            if known is not None:
                found.setdefault(known.number, who)
    return found


def blocks(torch: Any) -> list[tuple[int, int]]:
    """Of each model, (bytes of parameters of its largest repeated block, of all that is in no such block)."""
    found = []
    for reference in module.models:
        model = reference()
        if model is not None:
            every = [block for several in remedies.blocks(torch, model) for block in several]
            inside = {id(parameter) for block in every for parameter in block.parameters()}
            largest = max((_bytes(block.parameters()) for block in every), default=0)
            found.append((largest, _bytes(p for p in model.parameters() if id(p) not in inside)))
    return found


def _bytes(parameters: Iterable[Any]) -> int:
    return sum(parameter.numel() * parameter.element_size() for parameter in parameters)
