"""A sample that the dataset makes the same way each time is made once."""

from __future__ import annotations

import functools
import operator
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import datasets, drawn, marks, samples, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "cache-dataset"
CLASS = "exact"
TEXT = {
    "en": (
        "Samples are kept in memory after they were made once",
        "Takes up to a quarter of the free memory. Only for datasets that make a sample the same way each time: some are "
        "made twice and compared, and one that draws random numbers is left alone.",
    ),
    "zh": (
        "样本生成一次后保存在内存里",
        "最多占用四分之一的空闲内存。只用于每次生成结果都相同的数据集：会把一些样本生成两次并比较，取随机数的数据集不受影响。",
    ),
}
LEFT = 0.15
"""Share of a sample's time that remains: finding and copying what is kept."""
CHECKS = 8
"""Samples that are made twice before any is kept; as many are made again when they are first asked for again."""
AGAIN = 64
"""Every so many that are found, one is made all the same and compared: what the samples depend on may have changed."""
PART = 4
"""Of the free memory, one in so many parts is used."""
LOOK = 4 << 20
"""Bytes after which it is looked again how much memory is free."""
LOCAL_RANKS = ("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS")
"""What launchers say of the ranks on one machine."""
MOST_CHANGES = 20


def candidates(view: View) -> list[Candidate]:
    loaders = view.process.events.get("loader", ())
    if not loaders or not any(loader["epoch"] for loader in loaders):
        return []  # without a second epoch nothing is asked for twice
    if loaders[0]["workers"] and not loaders[0]["persistent"]:
        return []  # what a worker keeps goes with it
    made = view.process.last("fetches") or next((w.last("fetches") for w in view.workers if w.last("fetches")), {})
    collating = made["collate_ns"] / made["fetch_ns"] if made and made["fetch_ns"] else 0.0
    saved = (1 - LEFT) * (1 - collating) * view.steady.seconds["next"]
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    changed: set[type] = set()
    ours: list[Any] = []
    memories: dict[int, Memory] = {}
    """By the dataset's id."""

    def change(loader: Any, given: dict[str, Any]) -> None:
        for dataset in datasets.innermost(torch, given["dataset"]):
            kind = type(dataset)
            if kind in changed or datasets.streams(torch, dataset) or issubclass(kind, torch.utils.data.TensorDataset):
                continue
            changed.add(kind)
            method = getattr(kind, "__getitem__", None)
            # Written in Python, unlike a list's or an array's; and not ours, from the class above.
            if hasattr(method, "__code__") and not hasattr(kind, "__getitems__") and method not in ours:
                kind.__getitem__ = kept(method, torch, memories)
                ours.append(kind.__getitem__)

    loader_class = torch.utils.data.DataLoader
    within.arguments(NAME, loader_class, change)

    def look(loader: Any) -> None:
        for dataset in datasets.innermost(torch, loader.dataset) if memories else ():
            if id(dataset) in memories:
                memories[id(dataset)].look(dataset)

    within.watch(loader_class, "__iter__", look)


def kept(original: Any, torch: Any, memories: dict[int, Memory]) -> Any:
    """The same `__getitem__`, with a memory."""

    @functools.wraps(original)
    def __getitem__(self: Any, index: Any) -> Any:  # noqa: N807
        if type(index) not in (int, str):
            return original(self, index)
        memory = memories.get(id(self))
        if memory is None:
            memory = memories[id(self)] = Memory(self, original, torch)
            weakref.finalize(self, _forget, memories, id(self)).atexit = False
        return memory.get(self, index) if memory.on else original(self, index)

    return __getitem__


def _forget(memories: dict[int, Memory], key: int) -> None:
    memories.pop(key).clear()


class Memory:
    """What one dataset has made."""

    left = -1
    """Bytes, for all of them together; below 0 it is not known yet."""
    reserve = unseen = 0
    """Bytes that must stay free; and that were kept since it was last looked whether they are."""

    def __init__(self, dataset: Any, make: Any, torch: Any) -> None:
        self.make, self.torch = make, torch
        self.samples: dict[Any, Any] = {}
        self.on, self.checks, self.hits, self.changes, self.used = True, 0, 0, 0, 0
        self.state = _attributes(dataset)
        self.marks: marks.Marks | None = None
        if datasets.draws(torch, dataset, make):
            self.off(dataset, "it has a generator of its own")
        self.look(dataset)

    def get(self, dataset: Any, index: Any) -> Any:
        state = _attributes(dataset)
        if len(state) != len(self.state) or not all(map(operator.is_, state, self.state)):
            # The script has given the dataset another transform, another epoch ...
            self.state, self.changes = state, self.changes + 1
            self.clear()
            if self.changes > MOST_CHANGES:
                self.off(dataset, "its attributes keep changing")
        # In another thread the random numbers are not ours to set back: the script draws some at the same time.
        alone = threading.current_thread() is threading.main_thread()
        found = self.samples.get(index, self)
        if found is not self:
            self.hits += 1
            if alone and (self.hits <= CHECKS or self.hits % AGAIN == 0):
                found = self.again(dataset, index, found, restore=False)
            return samples.copy(found, self.torch) if self.on else found
        if self.checks < CHECKS and not alone:
            return self.make(dataset, index)
        before = drawn.Drawn(self.torch) if self.checks < CHECKS else None
        sample = self.make(dataset, index)
        try:
            if before is not None:
                self.checks += 1
                if before.same():
                    self.again(dataset, index, sample, restore=True)
                else:
                    self.off(dataset, "it draws random numbers")
                if self.on and self.checks == CHECKS:
                    within.note(NAME, dataset=type(dataset).__name__)
            if self.on and self.checks >= CHECKS:
                self.keep(index, sample)
        except Exception as error:
            self.off(dataset, repr(error))
        return sample

    def look(self, dataset: Any) -> None:
        """Before an epoch: also what was changed in place (an order that was shuffled) gives other samples."""
        if not self.on:
            return
        try:
            now = marks.marks(self.torch, dataset, self.make)
        except Exception as error:
            self.off(dataset, repr(error))
            return
        if self.marks is not None and not marks.same(self.marks, now):
            self.clear()
        self.marks = now

    def keep(self, index: Any, sample: Any) -> None:
        if Memory.left < 0:
            free = _free_bytes()
            Memory.left, Memory.reserve = free // PART // _beside(self.torch), free // PART
        size = samples.size(sample, self.torch)
        Memory.unseen += size
        if Memory.unseen > LOOK and size <= Memory.left:
            Memory.unseen = 0
            if _free_bytes() < Memory.reserve:
                Memory.left = 0  # the job, or another one, needs it
        if size <= Memory.left:
            self.samples[index] = samples.copy(sample, self.torch)
            Memory.left -= size
            self.used += size

    def again(self, dataset: Any, index: Any, sample: Any, *, restore: bool) -> Any:
        """The sample made once more; one that differs ends it all."""
        before = drawn.Drawn(self.torch)
        mine = samples.copy(sample, self.torch)
        made = self.make(dataset, index)
        if not before.same():
            self.off(dataset, "it draws random numbers")
            if restore:
                before.undo()
        elif not samples.same(mine, made, self.torch):
            self.off(dataset, "a sample differs from time to time")
        return made

    def clear(self) -> None:
        self.samples.clear()
        Memory.left += self.used
        self.used = 0

    def off(self, dataset: Any, why: str) -> None:
        if self.on:
            self.on = False
            self.clear()
            within.fault(NAME, RuntimeError(f"{type(dataset).__name__}: {why}"))


def _attributes(dataset: Any) -> tuple[Any, ...]:
    return tuple(getattr(dataset, "__dict__", {}).values())


def _beside(torch: Any) -> int:
    """How many processes of the job keep samples on this machine: workers of the ranks that are here."""
    worker = torch.utils.data.get_worker_info()
    given = (os.environ.get(name, "") for name in LOCAL_RANKS)
    ranks = next((int(text) for text in given if text.isdigit()), 0)
    parallel = torch.distributed
    if not ranks and parallel.is_available() and parallel.is_initialized():
        ranks = parallel.get_world_size()  # perhaps not all of them are here
    return max(1, ranks) * (worker.num_workers if worker else 1)


def _free_bytes() -> int:
    """What the system says is available, or the control group's limit leaves."""
    free = 1 << 30
    try:
        with open("/proc/meminfo") as lines:
            free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
        with open("/sys/fs/cgroup/memory.max") as most, open("/sys/fs/cgroup/memory.current") as used:
            free = min(free, int(most.read()) - int(used.read()))
    except (OSError, ValueError, StopIteration):
        pass  # no limit, or another system
    return max(0, free)


def by_hand(value: bool) -> str:
    return "class Kept(Dataset): keep what __getitem__ made in a dict, and return copies"
