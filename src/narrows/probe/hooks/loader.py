"""The DataLoader: waiting for a batch, starting workers, and what a batch costs where it is made."""

import functools
import os
from _thread import get_ident
from time import perf_counter_ns as clock
from time import thread_time_ns
from typing import Any

from .. import contents, inputs, job, light, pause, places, state

_seen: dict[int, int] = {}
FLUSH_NS = 500_000_000


class Fetches:
    """Sums over the batches that this process made, written down every half second."""

    def __init__(self) -> None:
        self.batches = self.fetch_ns = self.collate_ns = self.cpu_ns = self.samples = 0
        self.first = self.last = clock()
        self.written = 0

    def add(self, began: int, cpu: int, samples: int) -> None:
        now = clock()
        self.batches += 1
        self.fetch_ns += now - began
        self.cpu_ns += thread_time_ns() - cpu
        self.samples += samples
        self.last = now
        if now - self.written > FLUSH_NS:
            self.written = now
            self.write()

    def write(self) -> None:
        if self.batches:
            job.spool.event(
                "fetches",
                pid=os.getpid(),
                worker=worker,
                batches=self.batches,
                samples=self.samples,
                fetch_ns=self.fetch_ns,
                collate_ns=self.collate_ns,
                cpu_ns=self.cpu_ns,
                since=self.first,
                until=self.last,
            )


fetches = Fetches()
worker: int | None = None
last_workers: int | None = None
"""Workers of the loader that was asked last; None if it has none."""


def install(torch: Any) -> None:
    from torch.utils.data import DataLoader, _utils, get_worker_info  # type: ignore[import-not-found,unused-ignore]
    from torch.utils.data.dataloader import _BaseDataLoaderIter  # type: ignore[import-not-found,unused-ignore]

    original_next, original_iter = _BaseDataLoaderIter.__next__, DataLoader.__iter__

    @functools.wraps(original_next)
    def __next__(self: Any) -> Any:  # noqa: N807
        if state.now_in not in state.GAPS or get_ident() != state.thread:
            return original_next(self)
        if places.learning:
            places.learn("loader")
        watched = pause.look is not None and getattr(self, "_workers", None)
        if watched:
            pause.asked(_idle(self), self._data_queue.empty())
        state.enter(state.NEXT)
        try:
            return original_next(self)
        finally:
            state.leave(state.PREPARE)
            job.batches += 1
            if watched:
                pause.served(_idle(self))

    @functools.wraps(original_iter)
    def __iter__(self: Any) -> Any:  # noqa: N807
        if state.now_in not in state.GAPS or get_ident() != state.thread:
            return original_iter(self)
        global last_workers
        try:
            _introduce(self)
            last_workers = self.num_workers or None
            if last_workers is not None:
                pause.make()
        except Exception as error:
            job.quiet(error)
        state.enter(state.ITER)
        try:
            return original_iter(self)
        finally:
            state.leave(state.PREPARE)

    _BaseDataLoaderIter.__next__, DataLoader.__iter__ = __next__, __iter__
    light.removable.append((_BaseDataLoaderIter, "__next__", __next__, original_next))

    base = _utils.fetch._BaseDatasetFetcher
    original_init = base.__init__

    @functools.wraps(original_init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original_init(self, *args, **kwargs)
        try:
            _start_worker(get_worker_info())
            self.collate_fn = _timed(self.collate_fn)
        except Exception as error:
            job.quiet(error)

    base.__init__ = __init__
    for fetcher in (_utils.fetch._MapDatasetFetcher, _utils.fetch._IterableDatasetFetcher):
        _wrap_fetch(fetcher)
    job.at_end.append(lambda: fetches.write())


def _idle(iterator: Any) -> bool:
    return pause.all_idle([worker.pid for worker in iterator._workers])


def _wrap_fetch(fetcher: Any) -> None:
    original = fetcher.fetch

    @functools.wraps(original)
    def fetch(self: Any, index: Any) -> Any:
        if worker is not None:
            pause.begin()
        began, cpu = clock(), thread_time_ns()
        try:
            return original(self, index)
        finally:
            try:
                if worker is not None:
                    pause.end()
                fetches.add(began, cpu, len(index) if isinstance(index, list) else 1)
            except Exception as error:
                job.quiet(error)

    fetcher.fetch = fetch


def _timed(collate: Any) -> Any:
    """The same collate, its time added up."""

    def collate_fn(batch: Any) -> Any:
        began = clock()
        try:
            return collate(batch)
        finally:
            fetches.collate_ns += clock() - began

    return collate_fn


def _start_worker(info: Any) -> None:
    """In a worker process: from here on its sums are its own, and a few of its batches are looked at by line."""
    global fetches, worker
    if info is None or worker is not None:
        return
    worker = info.id
    fetches = Fetches()
    pause.join()
    job.spool.event("worker", pid=os.getpid(), parent=os.getppid(), worker=info.id, threads=job.torch.get_num_threads())
    from ..windows import samples

    samples.watch(fetches)


def _introduce(loader: Any) -> None:
    key = id(loader)
    times = _seen.get(key, 0)
    _seen[key] = times + 1
    if times > 1:
        return  # a third iterator says nothing new
    dataset = loader.dataset
    try:
        length = len(loader)
    except Exception:
        length = None
    job.spool.event(
        "loader",
        who=list(_seen).index(key),
        epoch=times,
        workers=loader.num_workers,
        batch_size=loader.batch_size,
        sampled=_sampled(loader),
        pin_memory=loader.pin_memory,
        persistent=loader.persistent_workers,
        prefetch=loader.prefetch_factor,
        context=getattr(loader.multiprocessing_context, "_name", None) if loader.num_workers else None,
        dataset=f"{type(dataset).__module__}.{type(dataset).__qualname__}",
        sample=_source(type(dataset)),
        batches=length,
        **_picked(loader),
        content=contents.fingerprint(dataset) if inputs.several else None,
        where=places.here(),
    )


def _sampled(loader: Any) -> int | None:
    """The size of the batches that a sampler of the job's own makes: such a loader has none."""
    size = getattr(getattr(loader, "batch_sampler", None), "batch_size", None)
    return size if isinstance(size, int) else None


def _picked(loader: Any) -> dict[str, Any]:
    """Who says which samples come, and how many of all there are: where ranks share the work, a part."""
    sampler = getattr(loader, "sampler", None)
    if sampler is None:
        return {"sampler": None, "picked": None, "rows": None}
    counts: list[int | None] = []
    for each in (sampler, loader.dataset):
        try:
            counts.append(len(each))
        except Exception:
            counts.append(None)
    return {"sampler": type(sampler).__qualname__, "picked": counts[0], "rows": counts[1]}


def _source(dataset: type) -> list[object] | None:
    """Where the dataset's own `__getitem__` (or `__iter__`) stands."""
    for name in ("__getitem__", "__getitems__", "__iter__"):
        code = getattr(getattr(dataset, name, None), "__code__", None)
        if code is not None and places.kind(code.co_filename) == "user":
            return [code.co_filename, code.co_firstlineno, name]
    return None
