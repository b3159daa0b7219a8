"""The loader's workers stay from epoch to epoch."""

from __future__ import annotations

import ast
import functools
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import datasets, marks, serving, within

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
    state: weakref.WeakKeyDictionary[Any, marks.Marks | None] = weakref.WeakKeyDictionary()
    """Of each loader whose workers stay: what they were given."""
    handed: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
    """Of each, what its last loop goes over."""
    mine: set[int] = set()

    def change(loader: Any, given: dict[str, Any]) -> None:
        dataset = given["dataset"]
        if given["num_workers"] <= 0 or (given["persistent_workers"] and id(dataset) not in mine):
            return
        if datasets.streams(torch, dataset):
            raise RuntimeError("a stream that was read to its end may have nothing left for the next epoch")
        # Trainers make loaders again, from what those have that they were given: those are ours, too.
        mine.add(id(dataset))
        given["persistent_workers"] = True
        state[loader] = None
        within.note(NAME, workers=given["num_workers"])

    within.arguments(NAME, loader_class, change)
    original = loader_class.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        if self not in state or not self.persistent_workers:
            return original(self)
        before, now = state[self], _marks(torch, self)
        if before is None or now is None or not marks.same(before, now):
            # The script has changed what the samples are made of, which workers that run already would not see.
            self._iterator = None
        state[self] = now
        last = handed[self]() if self in handed else None
        if self._iterator is not None and last is not None and not last.ended:
            return _apart(self, original)
        if self._iterator is not None:
            # A new iterator would draw a seed for its workers, and the order of the next epoch comes after it.
            torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        batches = Loop(original(self))
        handed[self] = weakref.ref(batches)
        return batches

    loader_class.__iter__ = __iter__


class Loop(serving.Served):
    """What a loop over the loader goes over: it says whether it came to its end, and goes on no further after it."""

    def __init__(self, batches: Any) -> None:
        super().__init__(batches)
        self.ended = False

    def __next__(self) -> Any:
        if self.ended:
            raise StopIteration
        try:
            return next(self._batches)
        except StopIteration:
            self.ended = True
            raise


def _apart(loader: Any, original: Any) -> Any:
    """A loop within a loop, or beside it: with the workers that stay it would begin the other one anew, so it has workers
    of its own, as the script asked for."""
    vars(loader)["persistent_workers"] = False
    try:
        return original(loader)
    finally:
        vars(loader)["persistent_workers"] = True


def _marks(torch: Any, loader: Any) -> marks.Marks | None:
    try:
        return marks.marks(torch, loader.dataset, loader.collate_fn)
    except Exception:
        return None  # a dataset may be anything


def by_hand(value: bool) -> str:
    return "DataLoader(..., persistent_workers=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.iterated import one_at_a_time
    from narrows.edits.loader import kept_apart, loaders, streams, workers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        held = workers(call)
        if isinstance(held, ast.expr):
            # Without workers it is an error.
            return {"persistent_workers": f"{ast.unparse(held)} > 0"}
        return None if held is None else {"persistent_workers": "True"} if held > 0 else {}

    safe = kept_apart(source) and one_at_a_time(source) and not streams(source)
    return loaders(source, wanted) if safe else None
