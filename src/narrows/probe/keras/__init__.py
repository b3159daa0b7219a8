"""What is put between the job and Keras: one file for each place, each with `install(keras)`.

Keras is the same on TensorFlow, PyTorch and JAX: its loop, its callbacks and its optimizers are seen here. What runs
below it is seen by the hooks of that framework.
"""

from typing import Any

from .. import job, schedule

steps = False
"""Keras' own loop has made a step."""


def install(keras: Any) -> None:
    """Called once, right after the job has imported Keras. A hook that fails is noted, and the rest still work."""
    schedule.told()
    job.install_each(__name__, __path__, keras)
    job.at_end.append(lambda: describe(keras))
    describe(keras)


def describe(keras: Any) -> None:
    """Settings that change what a step costs; at the start and, as the job may set them, at the end."""
    job.spool.event(
        "keras",
        version=keras.__version__,
        backend=keras.backend.backend(),
        policy=str(keras.config.dtype_policy().name),
        floatx=keras.backend.floatx(),
    )
