"""`tf.data` maps several elements at once, in the same order."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "tf-data-parallel-map"
FRAMEWORK = "tensorflow"
CLASS = "exact"
TEXT = {
    "en": (
        "tf.data maps several elements at once",
        "Random ops inside of a map draw other numbers. The order of the elements stays (deterministic=True).",
    ),
    "zh": ("tf.data 同时 map 多个元素", "map 里的随机算子会抽到别的数。元素顺序不变（deterministic=True）。"),
}


def candidates(view: View) -> list[Candidate]:
    stages = view.process.first("pipeline").get("stages", ())
    serial = [name for name, _ in stages if "Map" in name and "Parallel" not in name and "Flat" not in name]
    if not serial or view.cores < 2:
        return []
    saved = view.steady.seconds["next"] * (1 - 1 / view.cores)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(tensorflow: Any, value: bool) -> None:
    dataset = tensorflow.data.Dataset
    original = dataset.map

    @functools.wraps(original)
    def map(self: Any, map_func: Any, num_parallel_calls: Any = None, deterministic: Any = None, **rest: Any) -> Any:
        if num_parallel_calls is not None or getattr(map_func, "__module__", "").startswith(("tensorflow", "keras")):
            return original(self, map_func, num_parallel_calls, deterministic, **rest)
        within.note(NAME)
        return original(
            self, map_func, tensorflow.data.AUTOTUNE, True if deterministic is None else deterministic, **rest
        )

    dataset.map = map


def by_hand(value: bool) -> str:
    return "dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)"
