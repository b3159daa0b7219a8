"""What is put between the job and JAX, where Keras' loop runs on it."""

from typing import Any

from .. import job, schedule
from ..keras import models
from ..windows import lines
from .program import Program


def install(jax: Any) -> None:
    """Called right after the job has imported JAX. The windows are these once Keras makes steps on it."""
    schedule.told()
    job.spool.event("jax", version=jax.__version__)

    def first_step() -> None:
        import sys

        keras = sys.modules.get("keras")
        if keras is not None and keras.backend.backend() == "jax":
            schedule.kinds.update(ops=lambda: Program(jax), lines=lines.make)

    models.at_first_step.append(first_step)
