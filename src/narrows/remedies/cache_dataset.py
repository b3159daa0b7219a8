"""A sample that the dataset makes the same way each time is made once."""

from __future__ import annotations

import functools
import operator
import random
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import samples, within

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

    def change(loader: Any, given: dict[str, Any]) -> None:
        for dataset in _innermost(given["dataset"], torch):
            kind = type(dataset)
            if kind in changed or issubclass(kind, (torch.utils.data.IterableDataset, torch.utils.data.TensorDataset)):
                continue
            changed.add(kind)
            method = getattr(kind, "__getitem__", None)
            # Written in Python, unlike a list's or an array's; and not ours, from the class above.
            if hasattr(method, "__code__") and not hasattr(kind, "__getitems__") and method not in ours:
                kind.__getitem__ = kept(method, torch)
                ours.append(kind.__getitem__)

    within.arguments(NAME, torch.utils.data.DataLoader, change)


def _innermost(dataset: Any, torch: Any) -> list[Any]:
    """What torch's own wrappers take their samples from."""
    if isinstance(dataset, torch.utils.data.Subset):
        return _innermost(dataset.dataset, torch)
    if isinstance(dataset, torch.utils.data.ConcatDataset):
        return [inner for part in dataset.datasets for inner in _innermost(part, torch)]
    return [dataset]


def kept(original: Any, torch: Any) -> Any:
    """The same `__getitem__`, with a memory."""
    memories: dict[int, Memory] = {}

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

    def __init__(self, dataset: Any, make: Any, torch: Any) -> None:
        self.make, self.torch = make, torch
        self.samples: dict[Any, Any] = {}
        self.on, self.checks, self.hits, self.changes, self.used = True, 0, 0, 0, 0
        self.state = _attributes(dataset)
        if _draws(dataset, make, torch):
            self.off(dataset, "it has a generator of its own")

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
        before = self.random() if self.checks < CHECKS else None
        sample = self.make(dataset, index)
        try:
            if before is not None:
                self.checks += 1
                if samples.same(before, self.random(), self.torch):
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

    def keep(self, index: Any, sample: Any) -> None:
        if Memory.left < 0:
            worker = self.torch.utils.data.get_worker_info()
            Memory.left = _free_bytes() // PART // (worker.num_workers if worker else 1)
        size = samples.size(sample, self.torch)
        if size <= Memory.left:
            self.samples[index] = samples.copy(sample, self.torch)
            Memory.left -= size
            self.used += size

    def again(self, dataset: Any, index: Any, sample: Any, *, restore: bool) -> Any:
        """The sample made once more; one that differs ends it all."""
        before = self.random()
        mine = samples.copy(sample, self.torch)
        made = self.make(dataset, index)
        if not samples.same(before, self.random(), self.torch):
            self.off(dataset, "it draws random numbers")
            if restore:
                random.setstate(before[0])
                self.torch.set_rng_state(before[1])
                if len(before) > 2:
                    sys.modules["numpy"].random.set_state(before[2])
        elif not samples.same(mine, made, self.torch):
            self.off(dataset, "a sample differs from time to time")
        return made

    def random(self) -> tuple[Any, ...]:
        numpy = sys.modules.get("numpy")
        rest = (numpy.random.get_state(),) if numpy is not None else ()
        return (random.getstate(), self.torch.get_rng_state(), *rest)

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


def _draws(dataset: Any, make: Any, torch: Any) -> bool:
    """Whether it holds a generator of its own, or its code names one: making a sample twice would advance it."""
    numpy = sys.modules.get("numpy")
    kinds: tuple[type, ...] = (random.Random, torch.Generator)
    kinds += (numpy.random.Generator, numpy.random.RandomState) if numpy is not None else ()
    todo = [dataset, *(make.__globals__.get(name) for name in make.__code__.co_names)]
    seen: set[int] = set()
    while todo and len(seen) < 500:
        value = todo.pop(0)
        if isinstance(value, kinds):
            return True
        if id(value) in seen or isinstance(value, (type, torch.Tensor, str, bytes)):
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            todo += list(value.values())[:50]
        elif isinstance(value, (list, tuple)):
            todo += value[:50]
        elif type(value).__module__ not in ("builtins", "numpy", "sys"):
            todo += list(getattr(value, "__dict__", {}).values())[:50]
    return False


def by_hand(value: bool) -> str:
    return "class Kept(Dataset): keep what __getitem__ made in a dict, and return copies"
