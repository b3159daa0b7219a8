"""A look at the gradients of each layer, at updates 0, 1, 2, 5, 10, 21 ...: that step is marked as disturbed."""

from typing import Any

from . import job, shards
from .hooks import module

_names: dict[int, str] = {}
MOST = 400
"""Layers written down; of a larger model every k-th."""


def look(optimizer: Any, update: int, who: int) -> None:
    """Write down the norm of each parameter's gradient and of the parameter; which have none."""
    torch = job.torch
    try:
        with torch.no_grad():
            _learn_names()
            every = [p for group in optimizer.param_groups for p in group["params"]]
            unused = [_name(p) for p in every if p.grad is None and p.requires_grad]
            held = [p for p in every if p.grad is not None and not p.grad.is_sparse]
            held = held[:: max(1, len(held) // MOST)]
            if not held:
                return
            parts = [shards.local(p) for p in held]
            gradients = torch._foreach_norm([shards.local(p.grad) for p in held], 2)
            weights = torch._foreach_norm(parts, 2)
            job.spool.event(
                "gradients",
                update=update,
                who=who,
                layers=[
                    [_name(p), float(g), float(w), part.numel()]
                    for p, part, g, w in zip(held, parts, gradients, weights, strict=True)
                    if part.numel()
                ],
                unused=unused[:50],
                unused_elements=sum(p.numel() for p in every if p.grad is None and p.requires_grad),
            )
    except Exception as error:
        job.quiet(error)


def _learn_names() -> None:
    if _names:
        return
    for reference in module.models:
        model = reference()
        if model is not None:
            for name, parameter in model.named_parameters():
                _names.setdefault(id(parameter), name)


def _name(parameter: Any) -> str:
    return _names.get(id(parameter), "?")
