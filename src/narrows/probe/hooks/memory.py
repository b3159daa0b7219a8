"""Memory: this process's peak, and who holds how much of it.

At the end, and once early: a job that the kernel kills has no end. Its limits are written down before all else.
"""

import contextlib
from typing import Any

from .. import crash, job, shards
from . import module, optimizer


def install(torch: Any) -> None:
    job.at_end.append(lambda: report(torch))
    job.at_second_update.append(lambda: report(torch))
    job.spool.event("limits", **crash.limits())


def report(torch: Any) -> None:
    seen: set[int] = set()
    parameters, gradients, states = 0, 0, 0

    def size(tensor: Any) -> int:
        """Bytes of the tensor's storage, the first time it is met: views and tied weights count once."""
        with contextlib.suppress(Exception):
            storage = shards.local(tensor).untyped_storage()
            if storage._cdata not in seen:
                seen.add(storage._cdata)
                return int(storage.nbytes())
        return 0

    for reference in module.models:
        for parameter in getattr(reference(), "parameters", list)():
            parameters += size(parameter)
            if parameter.grad is not None:
                gradients += size(parameter.grad)
    for reference in optimizer.optimizers:
        for held in getattr(reference(), "state", {}).values():
            for value in held.values() if isinstance(held, dict) else ():
                if isinstance(value, torch.Tensor):
                    states += size(value)
    cuda = torch.cuda.is_initialized()
    job.spool.event(
        "memory",
        rss_peak=crash.peak(),
        device_peak=torch.cuda.max_memory_allocated() if cuda else None,
        device_total=torch.cuda.mem_get_info()[1] if cuda else None,
        parameters=parameters,
        gradients=gradients,
        optimizer=states,
        peak_size=crash.process()["peak_size"],
    )
