"""Gradients of several ranks, exchanged outside of a backward. Standard library only."""

from collections.abc import Iterable, Sequence
from typing import Any


def average(torch: Any, parameters: Iterable[Any], group: Any) -> None:
    """Each gradient becomes its mean over the ranks of the group, in one collective for each dtype and device.

    All ranks must hold gradients of the same parameters. What the collective raises is raised: ranks that go on with
    gradients of their own would drift apart.
    """
    ranks = torch.distributed.get_world_size(group)
    with torch.no_grad():
        for gradients in alike([p.grad for p in parameters if p.grad is not None]):
            flat = torch.cat([each.reshape(-1) for each in gradients])
            torch.distributed.all_reduce(flat, group=group)
            spread(flat.div_(ranks), gradients)


def alike(tensors: Sequence[Any]) -> list[list[Any]]:
    """Those of one dtype and device together, in an order that depends on nothing else."""
    kinds: dict[tuple[Any, Any], list[Any]] = {}
    for each in tensors:
        kinds.setdefault((each.dtype, each.device), []).append(each)
    return list(kinds.values())


def spread(flat: Any, tensors: Sequence[Any]) -> None:
    """Copy the parts of a flat tensor to those that it was made from."""
    for part, each in zip(flat.split([each.numel() for each in tensors]), tensors, strict=True):
        each.copy_(part.view(each.shape))


def wrapped(torch: Any) -> Any:
    """The class that exchanges gradients in the backward; None where torch was built without it."""
    if not torch.distributed.is_available():
        return None
    return torch.nn.parallel.DistributedDataParallel
