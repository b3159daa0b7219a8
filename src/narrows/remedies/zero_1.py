"""Each rank keeps the optimizer's state of its share of the parameters, and updates those for all."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "zero-1"
CLASS = "memory"
RANKS = True
ROOM = (True,)
TEXT = {
    "en": (
        "Each rank keeps the optimizer's state of a share of the parameters (ZeRO, stage 1)",
        "Nothing in the results. A checkpoint of the optimizer holds the share of the rank that saves it; what is not in "
        "it begins anew when it is loaded.",
    ),
    "zh": (
        "每个进程只保存一部分参数的优化器状态（ZeRO 第一阶段）",
        "结果不变。优化器的检查点只含保存它的那个进程的一份；加载时，其余的状态从头开始。",
    ),
}
RATE = 1e9
"""Bytes in a second, over gloo, where the job has not shown its own."""


def candidates(view: View) -> list[Candidate]:
    parallel, made = estimates.parallel(view), view.process.events.get("optimizer", ())
    ranks = estimates.ranks(view)
    if not parallel or ranks < 2 or len(made) != 1 or not made[0]["state_bytes"]:
        return []
    spent, moved = estimates.exchange(view), estimates.exchanged(view)
    rate = moved / spent if spent and moved else RATE
    # Updates are shared out, and what comes of them is sent to all: half of what an all-reduce moves.
    saved = (1 - 1 / ranks) * view.steady.seconds["optimizer"] - made[0]["parameter_bytes"] / 2 / rate
    return [Candidate(value=True, seconds=saved)]


def apply(torch: Any, value: bool) -> None:
    """ZeRO, stage 1 (Rajbhandari et al., 2020), through torch's own hooks around each update: the script's optimizer stays,
    and sees only the gradients of its share, so it makes no state for others."""
    if exchange.wrapped(torch) is None:
        return
    made = torch.optim.Optimizer.__init__

    @functools.wraps(made)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        made(self, *args, **kwargs)
        share = Share(torch)
        # An optimizer's own hooks lie inside of those for all: what else looks at an update sees all gradients.
        self.register_step_pre_hook(share.before)
        self.register_step_post_hook(share.after)

    torch.optim.Optimizer.__init__ = __init__


class Share:
    """What one optimizer updates on this rank, and what is put aside meanwhile."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.group: Any = None
        """The ranks that share its parameters out; None before the first update, or if they do not."""
        self.known = False
        self.aside: list[tuple[Any, Any]] = []
        self.updated: list[tuple[int, Any]] = []
        """(rank, parameter)"""

    def before(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.aside, self.updated = [], []
        if not self.known:
            self.known, self.group = True, self._ranks(optimizer, args, kwargs)
        if self.group is None:
            return
        distributed = self.torch.distributed
        held = [p for each in optimizer.param_groups for p in each["params"]]
        owners = shared_out([p.numel() for p in held], distributed.get_world_size(self.group))
        mine = distributed.get_rank(self.group)
        for parameter, owner in zip(held, owners, strict=True):
            if parameter.grad is not None:
                self.updated.append((owner, parameter))
                if owner != mine:
                    self.aside.append((parameter, parameter.grad))
                    parameter.grad = None

    def after(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Each rank sends the others what it has updated."""
        for parameter, gradient in self.aside:
            parameter.grad = gradient
        sent, torch = [], self.torch
        with torch.no_grad():
            for owner in sorted({owner for owner, _ in self.updated}):
                root = torch.distributed.get_global_rank(self.group, owner)
                for tensors in exchange.alike([p for each, p in self.updated if each == owner]):
                    flat = torch.cat([p.reshape(-1) for p in tensors])
                    work = torch.distributed.broadcast(flat, src=root, group=self.group, async_op=True)
                    sent.append((work, flat, tensors))
            for work, flat, tensors in sent:
                work.wait()
                exchange.spread(flat, tensors)
        self.aside, self.updated = [], []

    def _ranks(self, optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Those on which all of its parameters have the same gradients; None where that, or what it does, is not known."""
        torch, name = self.torch, type(optimizer).__name__
        held = {id(p) for each in optimizer.param_groups for p in each["params"]}
        models = [m for m in within.alive(exchange.wrapped(torch)) if held <= {id(p) for p in m.parameters()}]
        why = ""
        if not type(optimizer).__module__.startswith("torch.optim.") or isinstance(optimizer, torch.optim.LBFGS):
            why = f"{name} may not update each parameter by itself"
        elif any(callable(each) for each in (*args, *kwargs.values())):
            why = "the optimizer calls the model itself"
        elif optimizer.state:
            why = "the optimizer has a state already"
        elif len(models) != 1:
            why = "not all parameters belong to one DistributedDataParallel"
        elif torch.distributed.get_world_size(models[0].process_group) < 2:
            why = "there is one rank"
        if why:
            within.fault(NAME, RuntimeError(why))
            return None
        within.note(NAME, optimizer=name)
        return models[0].process_group


def shared_out(sizes: list[int], ranks: int) -> list[int]:
    """The rank of each: the largest first, to the one that has least so far."""
    loads, owners = [0] * ranks, [0] * len(sizes)
    for index in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        owners[index] = loads.index(min(loads))
        loads[owners[index]] += sizes[index]
    return owners


def by_hand(value: bool) -> str:
    return (
        "from torch.distributed.optim import ZeroRedundancyOptimizer\n"
        "optimizer = ZeroRedundancyOptimizer(model.parameters(), torch.optim.AdamW, ...)  # for your own optimizer's class\n"
        "optimizer.consolidate_state_dict()  # on all ranks, before one of them saves optimizer.state_dict()"
    )
