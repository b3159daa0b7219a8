"""Which ops run, with which shapes, and how long each takes: the op window.

A TorchDispatchMode sees each op below autograd, backward and optimizer included, and runs it unchanged. The clock is
read right around it, so the mode's own cost (about 10 microseconds an op) stays outside of what is measured.
"""

import sys
from time import perf_counter_ns as clock
from types import FrameType
from typing import Any

from .. import job, places, shards, state
from . import eager

MOST_SAMPLES = 64
MOST_KINDS = 20_000
"""Kinds of call (op, shapes, place) written down. A job with more has new shapes in each step."""


def make() -> Any:
    return _window_class()()


def describe(value: Any, torch: Any) -> Any:
    """A value as the spool keeps it: a tensor by shape, dtype and layout, the rest by its worth."""
    if isinstance(value, torch.Tensor):
        if type(value) is not torch.Tensor:
            value = shards.local(value)  # what is computed here is this rank's part
        layout = value.layout
        if layout is not torch.strided:
            return ("T", tuple(value.shape), str(value.dtype)[6:], "s")
        if value.is_contiguous():
            kind = "c"
        elif value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last):
            kind = "l"
        else:
            kind = "n"
        return ("T", tuple(value.shape), str(value.dtype)[6:], kind)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0.0 else str(value)
    if isinstance(value, (list, tuple)):
        return ("L", *[describe(item, torch) for item in value])
    if isinstance(value, torch.dtype):
        return ("D", str(value)[6:])
    if isinstance(value, torch.device):
        return ("V", value.type)
    return ("?",)


def _window_class() -> Any:
    """The class, made once torch is there."""
    global _made
    if _made is not None:
        return _made
    from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
        TorchDispatchMode,
        _get_current_dispatch_mode,
    )

    torch = job.torch

    class Ops(TorchDispatchMode):  # type: ignore[misc,unused-ignore]
        supports_higher_order_operators = True
        """Else torch refuses those (flex_attention, cond) while a mode is open."""

        def __init__(self) -> None:
            super().__init__()
            self.seen: dict[Any, list[int]] = {}
            self.outputs: dict[Any, Any] = {}
            self.begin: list[int] = []
            self.boundaries = 0

        def open(self) -> bool:
            if _get_current_dispatch_mode() is not None:  # the job has one of its own open
                return False
            places.learning = False
            job.disturbed = True
            self.boundaries = job.spool.boundaries
            job.spool.event("mode", anomaly=torch.is_anomaly_enabled())
            state.touch()
            self.begin = list(state.gap_ns)
            self.compiling = eager.wanted(self)
            self.__enter__()
            return True

        def close(self) -> None:
            self.compiling()
            if _get_current_dispatch_mode() is self:
                self.__exit__(None, None, None)
            else:
                job.quiet(RuntimeError("a dispatch mode of the job was opened inside the op window"))
            job.disturbed = True
            job.spool.event(
                "ops",
                boundaries=job.spool.boundaries - self.boundaries,
                ns=[now - then for now, then in zip(state.gap_ns, self.begin, strict=True)],
                ops=[
                    [str(key[0]), key[1], key[2], self.outputs[key], key[3], key[4], times[0], times[1:]]
                    for key, times in self.seen.items()
                ],
            )

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if kwargs is None:
                kwargs = {}
            began = clock()
            result = func(*args, **kwargs)
            ended = clock()
            try:
                at = state.now_in
                place = _place() if at in state.GAPS else _caller() if func.namespace in _COLLECTIVES else None
                key = (
                    func,
                    tuple([describe(value, torch) for value in args]),
                    tuple([(name, describe(value, torch)) for name, value in kwargs.items()]),
                    at,
                    place,
                )
                times = self.seen.get(key)
                if times is None:
                    if len(self.seen) >= MOST_KINDS:
                        return result
                    self.seen[key] = [1, ended - began]
                    self.outputs[key] = describe(result, torch)
                else:
                    times[0] += 1
                    if len(times) <= MOST_SAMPLES:
                        times.append(ended - began)
            except Exception as error:
                job.quiet(error)
            return result

    _made = Ops
    return Ops


_made: Any = None
_COLLECTIVES = ("c10d", "_c10d_functional")


def _caller() -> tuple[str, int] | None:
    """File and line of the innermost frame of the user's own code."""
    here: Any = places.here()
    return (here[0], here[1]) if here else None


def _place() -> tuple[str, int] | None:
    """File and line of the innermost frame that belongs to the training loop."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code in places.ancestors and places.kind(code.co_filename) not in ("probe", "torch"):
            return (code.co_filename, places.line(frame))
        frame = frame.f_back
    return None
