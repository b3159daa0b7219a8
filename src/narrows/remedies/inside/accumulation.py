"""Batches that are taken in parts: their gradients add up, and what belongs to an update waits for the last part.

A part's loss counts by its share of the batch's samples, so what adds up is the gradient of the mean over all of them,
in a last, smaller batch of an epoch too. All that waits does so for one reason: gradients of parts are held.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import Any

from . import backward, within
from .living import Living


class Turn:
    """Where the job is in a batch."""

    def __init__(self, torch: Any, remedy: str) -> None:
        self.remedy = remedy
        self.living = Living(
            torch.optim.Optimizer,
            torch.nn.modules.batchnorm._BatchNorm,
            torch.amp.GradScaler,
            torch.utils.data.DataLoader,
        )
        self.on = True
        self.open = False
        """What the script has is a part of a batch."""
        self.held = False
        """A part of the batch was learned from, and its update is still to come."""
        self.last, self.stepped = True, False
        self.share = 1.0
        """Of the batch's samples, in this part."""
        self.backwards = self.before = 0
        """In this part, and in the one before."""
        self.gathered = False
        """There was one for this batch."""
        self.updates = 0
        self.parameters: list[Any] = []
        self.kept: tuple[Any, Any, int] | None = None

    def off(self, why: str) -> None:
        """No batch after this one is taken in parts. This one still ends with one update, from all of its samples."""
        if self.on:
            self.on = False
            within.fault(self.remedy, RuntimeError(why))

    def part_over(self) -> None:
        """The script asks for the next part of a batch."""
        if self.backwards and not self.stepped:
            self.off("the job takes several batches for an update already")

    def begin(self, share: float, *, first: bool, last: bool) -> None:
        """The script is given a part."""
        self.before = 0 if first else self.backwards
        self.open, self.share, self.last = True, share, last
        self.gathered = self.gathered and not first
        self.stepped, self.backwards = False, 0
        self._tell()

    def end(self) -> None:
        """The script has had all parts of a batch, or has left them."""
        if self.held:
            self.off("the loop left a batch before its update")
        self.open = self.held = False
        _probe_part(1.0, 0)

    def _tell(self) -> None:
        _probe_part(self.share, max(0, self.before - self.backwards))

    def backward(self) -> None:
        """One has run."""
        self.backwards += 1
        self.held = self.gathered = True
        found = next((p for p in self.parameters if p.grad is not None), None)
        self.kept = None if found is None else (found, found.grad, found.grad._version)
        self._tell()

    def touched(self) -> bool:
        """Whether something other than a backward has changed the gradients that are held."""
        if not self.held or self.kept is None:
            return False
        parameter, gradient, version = self.kept
        return parameter.grad is not gradient or gradient._version != version


def _probe_part(share: float, back: int) -> None:
    """In a trial the loss curve has one loss for a batch: the mean over its parts."""
    try:
        from _narrows_probe.hooks import backward as probe  # type: ignore[import-not-found,unused-ignore]

        probe.part = share, back
    except Exception:
        pass


def unfit(torch: Any, turn: Turn, trains: Callable[[Any], bool]) -> str | None:
    """Why this job cannot take its batches in parts, from what is alive in it; "" if it does not learn yet."""
    alive = turn.living.of
    optimizers = alive(torch.optim.Optimizer)
    if len(optimizers) > 1:
        gc.collect()  # there may be some that are only not cleared away
        optimizers = alive(torch.optim.Optimizer)
    if not optimizers:
        return ""
    if len(optimizers) > 1:
        return "there are several optimizers"
    if isinstance(optimizers[0], torch.optim.LBFGS):
        return "the optimizer calls the model again itself"
    if alive(torch.nn.modules.batchnorm._BatchNorm):
        return "batch normalisation would see the statistics of parts"
    if any(each.is_enabled() for each in alive(torch.amp.GradScaler)):
        return "gradients are scaled"
    if len({id(each.dataset) for each in alive(torch.utils.data.DataLoader) if trains(each)}) > 1:
        return "there are several loaders that shuffle"
    turn.parameters = [p for group in optimizers[0].param_groups for p in group["params"]]
    return None


def install(torch: Any, turn: Turn) -> None:
    """Everything that belongs to an update waits for the last part."""
    _backward(torch, turn)
    _step(torch, turn)
    _waits(torch.optim.Optimizer, "zero_grad", turn)
    _waits(torch.nn.Module, "zero_grad", turn)
    _waits(torch.optim.swa_utils.AveragedModel, "update_parameters", turn)
    schedulers = torch.optim.lr_scheduler
    for kind in {each for each in vars(schedulers).values() if isinstance(each, type) and "step" in vars(each)}:
        _waits(kind, "step", turn)
    for name in ("clip_grad_norm_", "clip_grad_value_"):
        within.utility(torch, name, functools.partial(_clip, torch, turn))


def _waits(owner: Any, name: str, turn: Turn) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def waits(*args: Any, **kwargs: Any) -> Any:
        return None if turn.held else original(*args, **kwargs)

    setattr(owner, name, waits)


def _clip(torch: Any, turn: Turn, original: Any) -> Any:
    @functools.wraps(original)
    def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
        if not turn.held or turn.last:
            return original(parameters, *args, **kwargs)
        if original.__name__ == "clip_grad_value_":
            return None
        held = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
        kind = args[1] if len(args) > 1 else kwargs.get("norm_type", 2.0)
        return torch.nn.utils.get_total_norm([p.grad for p in held if p.grad is not None], kind)

    return clip


def _backward(torch: Any, turn: Turn) -> None:
    def make(call: Any, tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not turn.open:
            return call(tensors, grad_tensors, *args, **kwargs)
        losses = backward.losses(torch, tensors)
        if turn.stepped:
            turn.off("a batch has several updates")
        if turn.touched():
            turn.off("gradients are changed before their update")
        if any(each.numel() != 1 for each in losses):
            turn.off("what runs backward is no loss")
        else:
            tensors, grad_tensors = losses, backward.weighted(torch, losses, grad_tensors, turn.share)
        try:
            return call(tensors, grad_tensors, *args, **kwargs)
        finally:
            turn.backward()

    backward.through(torch, make)


def _step(torch: Any, turn: Turn) -> None:
    optimizer_class = torch.optim.Optimizer
    patch = optimizer_class._patch_step_function
    ours: set[Any] = set()

    def waiting(original: Any) -> Any:
        @functools.wraps(original)
        def step(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not turn.open:
                if not turn.updates:
                    turn.off("no DataLoader that shuffles gives the batches")
                return original(self, *args, **kwargs)
            if any(callable(each) for each in (*args, *kwargs.values())):
                turn.off("the optimizer calls the model again itself")
            elif not turn.backwards:
                turn.off("gradients come from no backward")
            turn.stepped, turn.held = True, not turn.last
            # Outside of torch's hooks: nobody sees an update that is none.
            if turn.held:
                return None
            turn.updates += 1
            if turn.updates == 1 and turn.on:
                within.note(turn.remedy)
            return original(self, *args, **kwargs)

        ours.add(step)
        return step

    @functools.wraps(patch)
    def _patch_step_function(self: Any) -> None:
        patch(self)
        if type(self).step not in ours:
            type(self).step = waiting(type(self).step)

    optimizer_class._patch_step_function = _patch_step_function
