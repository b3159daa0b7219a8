"""A run in which nothing is followed: what the process takes when it is left alone."""

from typing import Any

from .. import job
from .gauge import Gauge, device
from .given import Given


class Plain:
    def __init__(self, torch: Any) -> None:
        self.torch, self.gauge, self.given = torch, Gauge(), Given()

    def boundary(self, kind: int, who: int) -> None:
        job.spool.event(
            "plain_step", boundary=kind, who=who, samples=job.samples, shape=self.given.shape, **self.gauge.process(),
            **device(self.torch),
        )  # fmt: skip

    def watch(self) -> None:
        pass

    def finish(self) -> None:
        pass
