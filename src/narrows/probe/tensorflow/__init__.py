"""What is put between the job and TensorFlow: one file for each place, each with `install(tensorflow)`."""

import os
from typing import Any

from .. import job, schedule


def install(tensorflow: Any) -> None:
    """Called once, right after the job has imported TensorFlow. A hook that fails is noted, and the rest still work."""
    schedule.told()
    job.install_each(__name__, __path__, tensorflow)
    job.at_end.append(lambda: describe(tensorflow))
    describe(tensorflow)


def describe(tensorflow: Any) -> None:
    """At the start and, as the job may set them, at the end. Asks nothing that would start TensorFlow's runtime."""
    threading = tensorflow.config.threading
    intra = threading.get_intra_op_parallelism_threads()
    job.spool.event(
        "tensorflow",
        version=tensorflow.__version__,
        threads=intra or _cores(),
        inter_threads=threading.get_inter_op_parallelism_threads(),
        eager=bool(tensorflow.config.functions_run_eagerly()),
    )


def _cores() -> int:
    """What TensorFlow takes for its ops if it is told nothing."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
