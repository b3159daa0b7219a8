"""A run in which nothing is followed: what the process takes when it is left alone."""

from typing import Any

from .. import job
from .gauge import Gauge, device
from .given import Given


class Plain:
    def __init__(self, torch: Any) -> None:
        self.torch, self.gauge, self.given = torch, Gauge(), Given()
        self.before = 0
        """Bytes, at most, before the first model call, without pages of files: what reading the data took is no step's."""
        hooks = torch.nn.modules.module
        first: Any = None

        def begins(model: Any, args: Any) -> None:
            first.remove()
            try:
                taken = self.gauge.process()
                self.before = max(0, taken["resident_peak"] - taken["files"])
                self.gauge.reset()
            except Exception as error:
                job.quiet(error)

        first = hooks.register_module_forward_pre_hook(begins)

    def boundary(self, kind: int, who: int) -> None:
        job.spool.event(
            "plain_step", boundary=kind, who=who, samples=job.samples, forwards=job.forwards, shape=self.given.shape,
            before=self.before, **self.gauge.process(), **device(self.torch),
        )  # fmt: skip

    def watch(self) -> None:
        pass

    def finish(self) -> None:
        pass
