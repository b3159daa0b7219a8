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
    job.at_end.append(lambda: describe(torch, cuda=torch.cuda.is_initialized()))
    describe(torch, cuda=False)
    torch.cuda._lazy_call(lambda: initialized(torch))


def initialized(torch: Any) -> None:
    """The job begins to use CUDA, in this process or in one that it has forked."""
    try:
        describe(torch, cuda=True)
    except Exception as error:
        job.quiet(error)


def describe(torch: Any, *, cuda: bool) -> None:
    """Settings that change what a step costs; at the start, where the job begins to use CUDA, and, as the job may set them,
    at the end. `cuda`: it uses that. It is never asked whether it could: a process that has asked cannot fork another that
    uses CUDA, and asking for the name of a device makes a context on it."""
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
