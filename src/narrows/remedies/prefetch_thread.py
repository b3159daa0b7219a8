"""A loader without workers has its next batches made by one thread while the step runs."""

from __future__ import annotations

import atexit
import functools
import os
import queue
import threading
import weakref
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "prefetch-thread"
CLASS = "exact"
TEXT = {
    "en": (
        "A background thread makes the next batches",
        "The same batches in the same order. Random numbers that the dataset draws from the global generators interleave "
        "with the model's in another way, which may differ from run to run. What the script changes in the dataset shows "
        "a few batches later, and a few batches more are in memory.",
    ),
    "zh": (
        "由一个后台线程生成后续的批数据",
        "批数据及其顺序不变。数据集从全局生成器取的随机数与模型的交错方式会变，每次运行也可能不同；"
        "脚本对数据集的改动会晚几个批次生效，内存里会多几个批次。",
    ),
}
AHEAD = 2
PART = 0.6
"""Of the time in which a batch is made, what can be hidden: the thread shares Python's lock with the step."""

_making = threading.RLock()
"""Held while a thread makes a batch: two loaders may share a dataset that only one thread at a time can use."""
_mine = threading.local()
_noted: list[bool] = []
_running: dict[threading.Thread, tuple[Any, threading.Event]] = {}


def candidates(view: View) -> list[Candidate]:
    loaders = view.process.events.get("loader", ())
    spent = view.steady.seconds["next"]
    saved = PART * min(spent, view.step - spent)
    if not loaders or loaders[0]["workers"] or view.cores < 2 or view.share(saved) < 0.02:
        return []
    return [Candidate(value=AHEAD, seconds=saved)]


def apply(torch: Any, value: int) -> None:
    loader_class = torch.utils.data.DataLoader
    original = loader_class.__iter__

    @functools.wraps(original)
    def __iter__(self: Any) -> Any:  # noqa: N807
        batches = original(self)
        if self.num_workers or hasattr(_mine, "thread"):
            return batches
        return Ahead(batches, value, torch)

    loader_class.__iter__ = __iter__
    atexit.register(_finish)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forked)


class Ahead:
    """The loader's iterator, asked by a thread.

    The first batch is made right here: a script that only looks at one needs no thread, and the sampler draws its seed
    where it always did.
    """

    def __init__(self, batches: Any, ahead: int, torch: Any) -> None:
        self._batches, self._torch = batches, torch
        self._made: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(ahead)
        self._stop = threading.Event()
        self._asked = 0
        self._ended = False

    def __iter__(self) -> Ahead:
        return self

    def __len__(self) -> int:
        return len(self._batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def __next__(self) -> Any:
        self._asked += 1
        if self._asked == 1:
            with _making:
                return next(self._batches)
        if self._asked == 2:
            self._start()
        if self._ended:
            raise StopIteration
        batch, error = self._made.get()
        if error is not None:
            self._ended = isinstance(error, StopIteration)
            raise error
        return batch

    def _start(self) -> None:
        torch = self._torch
        # What a thread has of its own, and the script may have set.
        modes = (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_device())
        ready, threads = threading.Event(), torch.get_num_threads()
        thread = within.thread(_make, self._batches, self._made, self._stop, modes, ready, torch, daemon=True)
        ready.wait()
        torch.set_num_threads(threads)
        _running[thread] = (self._made, self._stop)
        weakref.finalize(self, _end, self._made, self._stop).atexit = False
        if not _noted:
            _noted.append(True)
            within.note(NAME, ahead=self._made.maxsize)


def _make(batches: Any, made: Any, stop: threading.Event, modes: Any, ready: threading.Event, torch: Any) -> None:
    _mine.thread = True
    # One core, as in a worker process: the others are the step's. It also becomes the number of threads that start
    # later, which is why the script's thread then sets it back.
    torch.set_num_threads(1)
    ready.set()
    gradients, inference, device = modes
    on_device = nullcontext() if device.type == "cpu" else torch.device(device)
    with torch.set_grad_enabled(gradients), torch.inference_mode(inference), on_device:
        while not stop.is_set():
            given: tuple[Any, BaseException | None]
            try:
                with _making:
                    given = next(batches), None
            except BaseException as error:
                given = None, error
            made.put(given)
            if isinstance(given[1], StopIteration):
                break
            del given
    _running.pop(threading.current_thread(), None)


def _end(made: Any, stop: threading.Event) -> None:
    """The thread makes the batch that it is at, and stops."""
    stop.set()
    try:
        while True:  # it may wait for room
            made.get_nowait()
    except queue.Empty:
        pass


def _finish() -> None:
    """When the script ends: a thread that outlives Python may crash."""
    for thread, (made, stop) in list(_running.items()):
        _end(made, stop)
        thread.join(timeout=10)


def _forked() -> None:
    """In a child there is none of the threads, so none of them will give the lock back."""
    global _making
    _making = threading.RLock()
    _running.clear()


def by_hand(value: int) -> str:
    return (
        f"def ahead(loader, made=queue.Queue({value})):\n"
        "    threading.Thread(target=lambda: [made.put(b) for b in chain(loader, [None])], daemon=True).start()\n"
        "    yield from iter(made.get, None)"
    )
