"""TensorFlow's ops run on another number of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "tf-threads"
FRAMEWORK = "tensorflow"
CLASS = "exact"
TEXT = {
    "en": ("TensorFlow's ops run on another number of threads", "Rounding: sums are split into other parts."),
    "zh": ("TensorFlow 的算子改用另一个线程数", "舍入：求和的切分方式不同。"),
}
HANDED = 0.2
"""Of what getting a graph's ops to run costs: what handing them from thread to thread is taken to be."""


def candidates(view: View) -> list[Candidate]:
    used, found = view.process.threads or 1, []
    passed = HANDED * estimates.spent(view, "overhead", states=(*estimates.MODEL, "optimizer", "graph"))
    if used > 1:
        found.append(Candidate(value=1, seconds=passed))
    if used < view.cores:
        work = view.seconds("compute") + view.seconds("bandwidth")
        found.append(Candidate(value=view.cores, seconds=work * (1 - used / view.cores)))
    return [c for c in found if view.share(c.seconds) >= estimates.WORTH]


def apply(tensorflow: Any, value: int) -> None:
    """Before the runtime starts; what the script sets comes later, and holds."""
    threading = tensorflow.config.threading
    threading.set_intra_op_parallelism_threads(value)
    threading.set_inter_op_parallelism_threads(value)
    within.note(NAME, threads=value)


def by_hand(value: int) -> str:
    return (
        f"tf.config.threading.set_intra_op_parallelism_threads({value})\n"
        f"tf.config.threading.set_inter_op_parallelism_threads({value})"
    )
