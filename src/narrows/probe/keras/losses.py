"""The loss that Keras shows: the mean of the epoch so far, out of what a step function returns."""

from typing import Any

from .. import job, losses, places, state

APART_NS = 20_000_000
LONGEST_CURVE = 20_000
_noted = 0
curve: list[float] | None = None
"""In a trial: the loss of each step, so that it can be laid over another trial's; of each call, if a call makes several."""
_every = 1


def install(keras: Any) -> None:
    global curve
    if job.settings.get("curve"):
        curve = []
        job.at_end.append(lambda: job.spool.event("curve", losses=[str(x) for x in curve or ()], every=_every))
    job.at_end.append(_last)


def _last() -> None:
    if _noted:
        job.spool.event("last_loss", value=job.loss if job.loss - job.loss == 0.0 else None)


def note(result: Any, count: int = 1) -> None:
    """Read the loss: each of the first, then every 16th, or one in 20 ms. On a CPU that costs 20 microseconds.

    `count`: steps that the call made.
    """
    global _noted, _every
    if curve is None and job.updates & 15 and job.updates >= 32 and state.last - _noted < APART_NS:
        return
    logs = result[0] if isinstance(result, tuple) and result else result
    loss = logs.get("loss") if isinstance(logs, dict) else None
    if loss is None or job.disturbed:
        return
    _noted = state.last
    value = float(loss)
    if curve is not None and len(curve) < LONGEST_CURVE:
        curve.append(value)
        _every = count
    losses.note(job.updates, value)
    if job.loss != job.loss and value == value:
        job.spool.event("loss", first=value)
    if value - value != 0.0 and job.loss - job.loss == 0.0:
        job.spool.event("not_finite", update=job.updates, value=str(value), where=places.here())
    job.loss = value
