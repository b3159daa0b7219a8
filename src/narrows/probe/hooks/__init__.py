"""What is put between the job and its framework: one file for each place, each with `install(torch)`."""

from typing import Any

from .. import job, schedule
from ..windows import load


def install(torch: Any) -> None:
    """Called once, right after the job has imported torch. A hook that fails is noted, and the rest still work."""
    job.torch = torch
    told = job.settings.get
    schedule.told()
    job.install_each(__name__, __path__, torch)
    load()
    if "batch" in job.settings:
        from ..batch import change

        old, new = map(int, job.settings["batch"].split(":"))
        change(torch, old, new)
    if "memory" in job.settings:
        from ..memory.start import start

        start(torch, job.settings["memory"], int(told("memory_steps", "4")))
    job.at_end.append(lambda: describe(torch))
    describe(torch)


def describe(torch: Any) -> None:
    """Settings that change what a step costs; at the start and, as the job may set them, at the end."""
    cuda = torch.cuda.is_available()
    job.spool.event(
        "torch",
        version=torch.__version__,
        threads=torch.get_num_threads(),
        cuda=cuda,
        devices=[torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else [],
        anomaly=torch.is_anomaly_enabled(),
        matmul_precision=torch.get_float32_matmul_precision(),
        default_dtype=str(torch.get_default_dtype()).removeprefix("torch."),
        flush_denormal=None,
    )
