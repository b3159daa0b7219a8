"""torch.compile: how many graphs it made, and how long that took; read once, at the end."""

import sys
from typing import Any

from .. import job


def install(torch: Any) -> None:
    job.at_end.append(report)


def report() -> None:
    """Reads dynamo's own counters, if the job ever imported it."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    if dynamo is None:
        return
    counters = dynamo.counters
    graphs = int(counters["stats"]["unique_graphs"])
    if graphs:
        times = getattr(dynamo, "compilation_time_metrics", {})
        seconds = sum(sum(v) for k, v in times.items() if "_compile.compile_inner" in k or k == "entire_frame_compile")
        functions = set(getattr(dynamo, "compile_codes", ())) or {1}
        job.spool.event("compile", graphs=graphs, frames=len(functions), seconds=seconds)
