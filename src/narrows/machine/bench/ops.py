"""The fixed cost of ops: each call that a job made, made again at its smallest valid size; or as large as it was.

Reads `[{"id", "name", "overload", "args", "kw"}, ...]`, values encoded as the probe writes them (see `small.py`),
and writes a line `[id, seconds]` for each, as soon as it is known: null where a small call could not be made. What
there was no time for gets no line. If a call takes the process down, the parent sees at which one.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from . import small, special

CALLS, WARM_UP = 200, 5
FEWEST = 5
SHARE = 0.02
"""Seconds that one op may take of the time there is; expensive ones are called less often."""
ATTEMPTS = ((1, 0), (1, 1), (2, 0), (4, 0), (8, 0))
"""(size of a dimension, value of an integer): most ops take size 1 and index 0, but a division does not take 0,
`pixel_shuffle` wants channels by the square, `glu` an even number."""
TWO_AT_LEAST = ("std", "var", "std_mean", "var_mean")
"""Of one element there is none, and each call says so on standard error."""
RESHAPES = ("unsqueeze_", "squeeze_", "resize_", "set_", "resize_as_", "swapaxes_", "transpose_", "t_")
"""In place on the shape: called again, they would not be the same call."""
SUSPECT, DISTURBED = 3e-4, 5.0
"""Seconds from which a cost is looked at again with one thread, and how many times that is too much."""

Arguments = tuple[list[Any], dict[str, Any]]


def answer(calls: Sequence[dict[str, Any]], out: TextIO, budget: float, *, whole: bool = False) -> None:
    """Measure the calls in turn, for at most `budget` seconds. `whole`: at their own size."""
    torch.set_grad_enabled(False)
    torch.set_flush_denormal(True)
    deadline = time.perf_counter() + budget
    gc.disable()
    for call in calls:
        if time.perf_counter() > deadline:
            return
        out.write(json.dumps([call["id"], cost(call, whole=whole)]) + "\n")
        out.flush()


def cost(call: dict[str, Any], *, whole: bool = False) -> float | None:
    """Seconds of one call, the median; None if it cannot be made small, or made again."""
    function = overload(call["name"], call["overload"])
    if function is None:
        return None
    for size, integer in ((small.WHOLE, 0), (small.WHOLE, 1)) if whole else ATTEMPTS:
        if size < 2 and call["name"] in TWO_AT_LEAST:
            continue
        build = small.arguments if whole else special.builders.get(call["name"], small.arguments)

        def again(size: int = size, integer: int = integer, build: Any = build) -> Arguments:
            return build(function, call["args"], call.get("kw") or {}, small.Sizes(size, integer))  # type: ignore[no-any-return]

        try:
            return quiet(function, again, fresh=call["name"] in RESHAPES)
        except small.Unknown:
            return None
        except Exception:  # anything: the size does not suit the op
            continue
    return None


def quiet(function: Any, build: Callable[[], Arguments], *, fresh: bool) -> float:
    """Seconds of a call, with all threads, or with one if these got into somebody else's way.

    An op that opens a parallel region waits for threads that have no core while something else has it: milliseconds
    for what takes microseconds. That is the machine's load at this moment and no cost of the op.
    """
    threads, seconds = torch.get_num_threads(), median(function, build, fresh=fresh)
    if seconds < SUSPECT or threads == 1:
        return seconds
    torch.set_num_threads(1)
    try:
        alone = median(function, build, fresh=fresh)
    finally:
        torch.set_num_threads(threads)
    return alone if seconds > DISTURBED * alone else seconds


def overload(name: str, which: str) -> Any:
    """`addmm`, `default` -> torch.ops.aten.addmm.default; other libraries are named `library::op`."""
    library, _, op = name.rpartition("::")
    try:
        return getattr(getattr(getattr(torch.ops, library or "aten"), op), which or "default")
    except AttributeError:
        return None


def median(function: Any, build: Callable[[], Arguments], *, fresh: bool) -> float:
    """Seconds of a call, just as the probe's dispatch mode makes and times it."""
    times: list[int] = []
    with Timed(function, times):
        args, kw = build()
        began = time.perf_counter()
        for number in range(WARM_UP + CALLS):
            if fresh:
                args, kw = build()
            function(*args, **kw)
            if number >= WARM_UP + FEWEST and time.perf_counter() - began > SHARE:
                break
    return statistics.median(times[WARM_UP:]) / 1e9


class Timed(TorchDispatchMode):  # type: ignore[misc]
    """Times one op below autograd. All others (those of building arguments) pass through."""

    def __init__(self, function: Any, times: list[int]) -> None:
        super().__init__()
        self.function, self.times = function, times

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not self.function:
            return func(*args, **kwargs)
        clock = time.perf_counter_ns
        began = clock()
        result = func(*args, **kwargs)
        ended = clock()
        self.times.append(ended - began)
        return result
