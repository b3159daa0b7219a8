"""Gradients of several ranks, exchanged outside of a backward. Standard library only."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import within


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


def arguments(torch: Any, remedy: str, change: Callable[[Any, dict[str, Any]], None]) -> None:
    """Let `change(model, arguments)` edit how each such model is made."""
    parallel = wrapped(torch)
    if parallel is not None:
        within.arguments(remedy, parallel, change)


def before_use(torch: Any, settle: Callable[[bool], None], off: Callable[[str], None]) -> None:
    """Call `settle(update)` before anything of torch's reads the gradients of an update; `update`: the update itself.

    `off(why)` is called before an update in which the optimizer runs the model itself.
    """
    from torch.optim.optimizer import (  # type: ignore[import-not-found,unused-ignore]
        register_optimizer_step_pre_hook,
    )

    def before(optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if any(callable(each) for each in (*args, *kwargs.values())):
            off("the optimizer calls the model itself")
        settle(True)

    def settled(original: Any) -> Any:
        @functools.wraps(original)
        def use(*args: Any, **kwargs: Any) -> Any:
            settle(False)
            return original(*args, **kwargs)

        return use

    register_optimizer_step_pre_hook(before)
    for name in ("clip_grad_norm_", "clip_grad_value_", "get_total_norm"):
        within.utility(torch, name, settled)
    torch.amp.GradScaler.unscale_ = settled(torch.amp.GradScaler.unscale_)
