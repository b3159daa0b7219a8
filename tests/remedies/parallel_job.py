"""A view of a job whose gradients a DistributedDataParallel exchanges, a third of its step."""

from dataclasses import replace
from typing import Any

from narrows.findings.view import View
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.ranks import PARALLEL

MILLION = 1 << 20
LOOKS = [{"unused": [], "unused_elements": 0}] * 4
MODEL = {"dtypes": {"float32": 8 * MILLION}}
OPTIMIZER = {"class": "AdamW", "fused": True, "foreach": None, "tensors": 4, "parameter_bytes": 32 << 20,
             "gradient_bytes": 32 << 20, "state_bytes": 64 << 20}  # fmt: skip


def exchanging(*, times: int = 1, wait: float = 8.0, parallel: Any = None, looks: Any = LOOKS, other: Any = LOOKS,
               model: Any = MODEL, optimizer: Any = OPTIMIZER, **told: Any) -> View:  # fmt: skip
    """`times` exchanges of 32 MiB in a step of 16 ms and the wait. `parallel`: what is different of its event."""
    summed = op(
        "c10d::allreduce_", (tensor(8 * MILLION),), out=(tensor(8 * MILLION),), state="backward", ms=0.1, count=times
    )
    work = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=5.0)
    made: Any = [] if parallel is None else {**PARALLEL, **parallel}
    job = process(
        boundaries(forward=6.0, backward=6.0, optimizer=4.0, wait=wait), window("ops", ops=(work, summed)),
        parallel=made, gradients=looks, model=model, optimizer=optimizer, **told,
    )  # fmt: skip
    second = replace(job, pid=2, rank=1, events={**job.events, "gradients": tuple(other)})
    return fakes.view(job, others=(second,))
