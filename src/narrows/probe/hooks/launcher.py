"""What a launcher (torchrun) sees of the ranks that it has started: which of them failed, and how."""

import functools
from typing import Any

from .. import imports, job


def install(torch: Any) -> None:
    imports.when("torch.distributed.elastic.multiprocessing.errors", _watch)


def _watch(errors: Any) -> None:
    """torchrun makes a record of each failure, also where it starts the ranks again and nothing else remains of it."""
    original = errors.ProcessFailure.__post_init__

    @functools.wraps(original)
    def __post_init__(self: Any) -> None:  # noqa: N807
        original(self)
        job.spool.event("failed", pid=self.pid, code=self.exitcode)

    errors.ProcessFailure.__post_init__ = __post_init__
