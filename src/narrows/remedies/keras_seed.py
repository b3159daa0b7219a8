"""`tf.random.set_seed` seeds what Keras draws from, too."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

    from .candidate import Candidate

NAME = "keras-seed"
FRAMEWORK = "tensorflow"
CLASS = "exact"
TEXT = {
    "en": (
        "tf.random.set_seed is keras.utils.set_random_seed",
        "Python's random and NumPy are seeded as well, so every run gives the same results.",
    ),
    "zh": (
        "tf.random.set_seed 换成 keras.utils.set_random_seed",
        "同时给 Python 的 random 和 NumPy 设种子，每次运行结果相同。",
    ),
}
ELSE = re.compile(r"\bset_seed\b")
CALL = re.compile(r"\b(?:tf|tensorflow)\.random\.set_seed\b")


def candidates(view: View) -> list[Candidate]:
    """It saves no time, so `optimize` has nothing to prove: a finding names it, and a recipe may hold it."""
    return []


def apply(tensorflow: Any, value: bool) -> None:
    original = tensorflow.random.set_seed
    inside: list[int] = []

    @functools.wraps(original)
    def set_seed(seed: Any) -> None:
        if inside or not isinstance(seed, int):
            original(seed)
            return
        inside.append(seed)
        try:
            import keras  # type: ignore[import-untyped,import-not-found,unused-ignore]

            keras.utils.set_random_seed(seed)  # which calls this again
            within.note(NAME, seed=seed)
        except ImportError as error:
            within.fault(NAME, error)
            original(seed)
        finally:
            inside.clear()

    tensorflow.random.set_seed = set_seed


def by_hand(value: bool) -> str:
    return "keras.utils.set_random_seed(42)  # instead of tf.random.set_seed(42)"


def edit(source: str, value: bool) -> str | None:
    """The name is changed where it is called; `tf.keras` is there wherever `tf` is. None if it goes by other names, too."""
    from narrows.edits.text import parse

    changed = CALL.sub(lambda found: found.group().split(".")[0] + ".keras.utils.set_random_seed", source)
    return changed if parse(changed) is not None and not ELSE.search(changed) else None
