"""The models and optimizers that Keras' loop has met: their numbers, and what they hold."""

import weakref
from typing import Any

from .. import crash, job, light, places


class Numbers:
    """Gives each object a number, in the order in which they come; keeps none of them alive."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Any, int]] = {}
        self.next = 0

    def of(self, thing: Any) -> tuple[int, bool]:
        """(its number, whether it is new)."""
        key = id(thing)
        known = self.known.get(key)
        if known is not None:
            return known[1], False
        self.known[key] = (weakref.ref(thing, lambda _: self.known.pop(key, None)), self.next)
        self.next += 1
        return self.next - 1, True


_numbers = Numbers()
_iterations: dict[int, int] = {}
"""By a model's number."""


_looped = False


def looped() -> None:
    """A loop that is not torch's own has made a step: none of its steps is light, and its ops are looked at where they run."""
    global _looped
    if not _looped:
        _looped = True
        light.never()
        for begin in at_first_step:
            begin()


at_first_step: list[Any] = []


def number(trainer: Any) -> int:
    """The model's number, given at its first step."""
    who, new = _numbers.of(trainer)
    if not new:
        return who
    looped()
    introduce(trainer, who)
    job.spool.event(
        "trainer",
        who=who,
        run_eagerly=bool(trainer.run_eagerly),
        jit_compile=bool(trainer.jit_compile),
        steps_per_execution=int(trainer.steps_per_execution),
        policy=str(trainer.dtype_policy.name),
        where=places.here(),
    )
    return who


def introduce(model: Any, who: int) -> None:
    """Write down what a model is."""
    job.spool.event(
        "model",
        who=who,
        **{"class": type(model).__name__},
        inner=type(model).__name__,
        parameters=sum(count(v) for v in model.variables),
        bytes=sum(size(v) for v in model.variables),
        compiled=False,
        data_parallel=False,
        where=places.here(),
    )


def steps(trainer: Any, who: int) -> int:
    """Updates since this was asked last; costs 10 microseconds, so it is asked only where a call makes several."""
    now = int(trainer.optimizer.iterations)
    before = _iterations.get(who, now - trainer.steps_per_execution)
    _iterations[who] = now
    return int(max(1, now - before))


def early(optimizer: Any, weighed: Any) -> None:
    """At the second update: what is written down of the optimizer and of memory. That step is marked as disturbed.

    `weighed` are the variables that it updates.
    """
    if job.updates != 1 or optimizer is None:
        return
    job.disturbed = True
    weights = sum(size(v) for v in weighed)
    states = sum(size(v) for v in optimizer.variables)
    job.spool.event(
        "optimizer",
        who=0,
        **{"class": type(optimizer).__name__},
        foreach=None,
        fused=None,
        tensors=len(weighed),
        parameters=sum(count(v) for v in weighed),
        parameter_bytes=weights,
        gradient_bytes=weights,
        state_bytes=states,
        where=places.here(),
    )
    memory(weights, states)
    job.at_end.append(lambda: memory(weights, states))
    job.early()


def memory(weights: int, states: int) -> None:
    """Gradients are as large as the weights, and live within a step."""
    job.spool.event(
        "memory",
        rss_peak=crash.peak(),
        device_peak=None,
        device_total=None,
        parameters=weights,
        gradients=weights,
        optimizer=states,
        peak_size=crash.process()["peak_size"],
    )


def count(variable: Any) -> int:
    found = 1
    for extent in variable.shape:
        found *= int(extent)
    return found


def size(variable: Any) -> int:
    """Bytes."""
    name = str(variable.dtype)
    bits = "".join(c for c in name.rpartition("float")[2].rpartition("int")[2] if c.isdigit())
    return count(variable) * (int(bits) // 8 if bits else 1)
