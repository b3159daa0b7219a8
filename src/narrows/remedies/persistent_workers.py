"""The loader's workers stay from epoch to epoch."""

from __future__ import annotations

import ast
import functools
import operator
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "persistent-workers"
CLASS = "exact"
TEXT = {
    "en": (
        "The loader's workers stay from epoch to epoch",
        "They keep their memory between epochs. Their random numbers go on instead of starting anew with each epoch, so "
        "augmentations differ as they do from seed to seed.",
    ),
    "zh": (
        "加载工作进程跨 epoch 保留",
        "它们在 epoch 之间仍占用内存。其随机数接着取，而不是每个 epoch 重新开始，因此增强结果会像更换种子那样不同。",
    ),
}
LEFT = 0.1
"""Share of a start that remains: sending the first indices, and waiting for the first batch."""


def candidates(view: View) -> list[Candidate]:
    loaders = view.process.events.get("loader", ())
    if not any(loader["workers"] and not loader["persistent"] for loader in loaders):
        return []
    steps = view.steps.timed(1)
    starts = [s.state("iter") + s.state("next") for s in steps if s.state("iter")]
    saved = (1 - LEFT) * sum(starts) / len(steps) / 1e9 if steps else 0.0
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    loader_class = torch.utils.data.DataLoader
    state: weakref.WeakKeyDictionary[Any, tuple[Any, ...]] = weakref.WeakKeyDictionary()

    def change(loader: Any, given: dict[str, Any]) -> None:
        if given["num_workers"] > 0 and not given["persistent_workers"]:
            given["persistent_workers"] = True
            state[loader] = ()
            within.note(NAME, workers=given["num_workers"])

    within.arguments(NAME, loader_class, change)
    original = loader_class.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        before = state.get(self)
        if before is not None:
            now = tuple(getattr(self.dataset, "__dict__", {}).values())
            if len(now) != len(before) or not all(map(operator.is_, now, before)):
                # The script has given the dataset something new, which workers that run already would not see.
                self._iterator = None
            state[self] = now
            if self._iterator is not None:
                # A new iterator would draw a seed for its workers, and the order of the next epoch comes after it.
                torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        return original(self)

    loader_class.__iter__ = __iter__


def by_hand(value: bool) -> str:
    return "DataLoader(..., persistent_workers=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.loader import kept_apart, loaders, workers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        held = workers(call)
        if isinstance(held, ast.expr):
            # Without workers it is an error.
            return {"persistent_workers": f"{ast.unparse(held)} > 0"}
        return None if held is None else {"persistent_workers": "True"} if held > 0 else {}

    return loaders(source, wanted) if kept_apart(source) else None
