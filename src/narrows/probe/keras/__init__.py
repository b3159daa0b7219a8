"""What is put between the job and Keras: one file for each place, each with `install(keras)`.

Keras is the same on TensorFlow, PyTorch and JAX: its loop, its callbacks and its optimizers are seen here. What runs
below it is seen by the hooks of that framework.
"""

import importlib
import pkgutil
from typing import Any

from .. import job, schedule

steps = False
"""Keras' own loop has made a step."""


def install(keras: Any) -> None:
    """Called once, right after the job has imported Keras. A hook that fails is noted, and the rest still work."""
    schedule.told()
    for module in pkgutil.iter_modules(__path__):
        place = importlib.import_module(f"{__name__}.{module.name}")
        try:
            if hasattr(place, "install"):
                place.install(keras)
        except Exception as error:
            job.spool.event("fault", what=f"hook {module.name}: {error!r}")
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
