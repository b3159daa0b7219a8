"""What DistributedDataParallel says of itself: parameters that were not used, its buckets, how long it looked for them."""

import functools
import importlib
import weakref
from time import perf_counter_ns as clock
from typing import Any

from .. import job

_modules: list[Any] = []
"""Weak references to all that the job made, in order."""
_searched = [0, 0]
"""Nanoseconds in which, and calls after which, they looked for parameters that are not used."""


def install(torch: Any) -> None:
    if not torch.distributed.is_available():
        return
    parallel = importlib.import_module("torch.nn.parallel").DistributedDataParallel
    _time_the_search(torch, parallel)


def made(module: Any) -> None:
    """The job has made this one."""
    _modules.append(weakref.ref(module))


def _time_the_search(torch: Any, parallel: Any) -> None:
    """With `find_unused_parameters`, what follows each forward goes through the whole graph of its output."""
    original = getattr(parallel, "_post_forward", None)
    if original is None:
        return
    compiling = torch.compiler.is_compiling

    @functools.wraps(original)
    def _post_forward(self: Any, output: Any) -> Any:
        if compiling() or not self.find_unused_parameters or self.static_graph:
            return original(self, output)
        began = clock()
        try:
            return original(self, output)
        finally:
            if not job.disturbed:
                _searched[0] += clock() - began
                _searched[1] += 1

    parallel._post_forward = _post_forward


def look(update: int) -> None:
    """When gradients are looked at: of the last backward that it timed (the first ten, then each hundredth)."""
    for number, reference in enumerate(_modules):
        try:
            module = reference()
            if module is None:
                continue
            told = module._get_ddp_logging_data()
            sizes = str(told.get("rebuilt_bucket_sizes") or told.get("bucket_sizes") or "")
            job.spool.event(
                "reducer",
                update=update,
                who=number,
                unused_bytes=told.get("unused_parameter_size"),
                buckets=[int(size) for size in sizes.split(",") if size.strip().isdigit()],
                searched_ns=_searched[0],
                searches=_searched[1],
            )
        except Exception as error:
            job.quiet(error)
