"""Optimizer updates, through torch's own global step hooks."""

import functools
import weakref
from _thread import get_ident
from typing import Any

from .. import gradients, job, light, places, schedule, state
from . import reducer

_known: dict[int, tuple[Any, int]] = {}
optimizers: list[Any] = []
_made: weakref.WeakSet[Any] = weakref.WeakSet()
_next_look = 0
"""The update at which gradients are looked at next: 0, 1, 2, 5, 10, 21 ... Even and odd in turn, so that of two optimizers
that take turns both are looked at."""


def install(torch: Any) -> None:
    from torch.optim.optimizer import (  # type: ignore[import-not-found,unused-ignore]
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )

    made = torch.optim.Optimizer.__init__

    @functools.wraps(made)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        schedule.will_train = True
        _made.add(self)
        made(self, *args, **kwargs)

    torch.optim.Optimizer.__init__ = __init__

    def before(optimizer: Any, args: Any, kwargs: Any) -> None:
        me = get_ident()
        if not job.updates:
            state.thread = me
        if me != state.thread:
            return
        if places.learning:
            places.learn("update")
        state.updating += 1
        state.enter(state.OPTIMIZER)

    def after(optimizer: Any, args: Any, kwargs: Any) -> None:
        global _next_look
        if get_ident() != state.thread:
            light.never()  # those of another thread would be counted, too
            return
        known = _known.get(id(optimizer))
        who = known[1] if known is not None else _introduce(optimizer)
        if job.updates >= _next_look:
            _next_look = 2 * job.updates + 1 - job.updates % 2
            job.disturbed = True
            gradients.look(optimizer, job.updates, who)
            reducer.look(job.updates)
            if job.updates == 1:
                job.early()
        state.updating = 0
        state.to(state.TAIL)
        job.updates += 1
        job.boundary(job.UPDATE, who)

    first, last = register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)

    ended = light.hook()

    def switch(on: bool) -> None:
        """Light steps have another hook, and none before the update. Called from within the post hooks: torch goes
        through their dictionary at that moment, so an entry's value may change there, and no entry may go."""
        before_update, after_update = first.hooks_dict_ref(), last.hooks_dict_ref()
        if on:
            before_update.pop(first.id, None)
        else:
            before_update[first.id] = before
        after_update[last.id] = ended if on else after

    light.switches.append(switch)
    light.identify = _number


def idle() -> int:
    """Optimizers that are there and have not made an update yet."""
    return sum(id(each) not in _known for each in list(_made))


def _number(optimizer: int) -> int:
    known = _known.get(optimizer)
    return known[1] if known is not None else -1 - len(optimizers)


def _introduce(optimizer: Any) -> int:
    who = len(optimizers)
    if who:
        schedule.renew()
    optimizers.append(weakref.ref(optimizer))
    key = id(optimizer)
    _known[key] = (weakref.ref(optimizer, lambda _: _known.pop(key, None)), who)
    try:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        tensors = [
            v for s in optimizer.state.values() if isinstance(s, dict) for v in s.values() if hasattr(v, "numel")
        ]
        group = optimizer.param_groups[0]
        job.spool.event(
            "optimizer",
            who=who,
            **{"class": type(optimizer).__name__},
            foreach=group.get("foreach"),
            fused=group.get("fused"),
            tensors=len(parameters),
            parameters=sum(p.numel() for p in parameters),
            parameter_bytes=sum(p.numel() * p.element_size() for p in parameters),
            gradient_bytes=sum(p.grad.numel() * p.grad.element_size() for p in parameters if p.grad is not None
                               and not p.grad.is_sparse),
            state_bytes=sum(v.numel() * v.element_size() for v in tensors),
            where=places.here(),
        )  # fmt: skip
    except Exception as error:
        job.quiet(error)
    return who
