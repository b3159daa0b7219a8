"""`torch.autograd.backward` (which `Tensor.backward` calls) and `torch.autograd.grad`."""

import functools
from _thread import get_ident
from typing import Any

from .. import job, light, losses, places, shards, state
from . import distributed


def install(torch: Any) -> None:
    autograd = torch.autograd
    original_backward, original_grad = autograd.backward, autograd.grad
    tensor_class = torch.Tensor

    @functools.wraps(original_backward)
    def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        if state.now_in == state.BACKWARD or get_ident() != state.thread:
            return original_backward(tensors, *args, **kwargs)
        if places.learning:
            places.learn("backward")
        waiting = None
        try:
            # Out of the caches, reading a loss takes 5 microseconds: each of the first, then every 16th, or one in 20 ms.
            if (
                not job.updates & 15 or job.updates < 32 or curve is not None or state.last - noted > APART_NS
            ) and isinstance(tensors, tensor_class):
                note_loss(tensors)
            if distributed.syncing:
                waiting = distributed.stamp_last_gradient(tensors)
        except Exception as error:
            job.quiet(error)
        state.enter(state.BACKWARD)
        try:
            return original_backward(tensors, *args, **kwargs)
        finally:
            if waiting is not None:
                waiting()
            state.leave(state.POST)
            job.backwards += 1

    @functools.wraps(original_grad)
    def grad(*args: Any, **kwargs: Any) -> Any:
        if state.now_in not in state.GAPS or get_ident() != state.thread:
            return original_grad(*args, **kwargs)
        state.enter(state.BACKWARD)
        try:
            return original_grad(*args, **kwargs)
        finally:
            state.leave(state.LOSS)

    autograd.backward, autograd.grad = backward, grad
    if job.settings.get("curve"):
        global curve
        curve = []
        job.at_end.append(lambda: job.spool.event("curve", losses=[str(x) for x in curve or ()]))
    light.removable.append((autograd, "backward", backward, original_backward))
    job.at_end.append(lambda: job.spool.event("last_loss", value=job.loss if job.loss - job.loss == 0.0 else None))


APART_NS = 20_000_000
noted = 0
"""When a loss was read last."""
curve: list[float] | None = None
"""In a trial: the loss of each backward, so that it can be laid over another trial's."""
LONGEST_CURVE = 20_000
part = (1.0, 0)
"""Where a remedy takes batches in parts: the weight of the next loss in its batch's, and how many losses from the end of
the curve that one stands; 0 if it is the first."""


def note_loss(loss: Any) -> None:
    """Read the loss where that costs a microsecond: on a CPU. A device would have to be waited for."""
    loss = shards.local(loss)
    if curve is not None and loss.numel() == 1 and len(curve) < LONGEST_CURVE:
        weight, back = part
        if 0 < back <= len(curve):
            curve[-back] += weight * float(loss.detach())
        else:
            curve.append(weight * float(loss.detach()))
    if loss.numel() == 1 and loss.is_cpu and not job.disturbed:
        global noted
        noted = state.last
        value = float(loss.detach())
        losses.note(job.updates, value)
        if job.loss != job.loss and value == value:
            job.spool.event("loss", first=value)
        if value - value != 0.0 and job.loss - job.loss == 0.0:
            job.spool.event("not_finite", update=job.updates, value=str(value), where=places.here())
        job.loss = value
