"""A memory run from its start to its end: its events are cut into steps, and written down."""

from typing import Any

from .. import job
from . import kinds
from .gauge import Gauge, device
from .given import Given
from .growth import Growth
from .inside import LONGEST, Inside
from .sites import Modules, Sites
from .track import Book, mode_class, resizing

MOST_EVENTS = 400_000
"""Of one step, written down; one with more is left out."""


class Run:
    def __init__(self, torch: Any, fake: Any) -> None:
        self.torch = torch
        self.book = Book(Sites(Modules(torch)))
        self.gauge, self.given = None if fake is not None else Gauge(), Given()
        self.mode = mode_class(torch)(self.book, fake)
        resizing(torch, self.book)
        self.steps = self.since = self.told = 0
        """Steps so far; the first event of this one; sites that are written down."""
        self.names = 0
        self.growth = Growth(torch, self.book)
        self.inside = Inside(torch)
        self.begin: list[int] = []
        """Storages at its start."""
        self.learned: set[int] = set()
        """Those of parameters that ever had a gradient."""

    def boundary(self, kind: int, who: int) -> None:
        """A step, or a part of one, is over."""
        book = self.book
        kinds.note(self.torch, book, self.learned)
        values: dict[str, int] = {}
        if self.gauge is not None:
            values = {**self.gauge.process(), "free": self.gauge.free()}
        values |= device(self.torch)
        job.spool.event(
            "memory_step", number=self.steps, boundary=kind, who=who, samples=job.samples, forwards=job.forwards,
            shape=self.given.shape, live=book.live, own=book.own_bytes, watched=self.mode.inside is not None, **values,
        )  # fmt: skip
        self.inside.cuts.append((who, len(self.inside.ops)))
        self._write(who)
        self.growth.step()
        book.forget()
        self.steps += 1
        self.since, self.begin = len(book.events), sorted(book.numbers)
        del self.mode.calls[:]
        if self.gauge is not None:
            self.gauge.reset()

    def watch(self) -> None:
        """The allocator's own events, from here to the end or for a while."""
        if self.gauge is None or self.torch.cuda.is_initialized():
            return
        if self.mode.inside is None and not self.inside.over:
            self.inside.start()
            self.mode.inside = self.inside
        self.inside.over += 1
        if self.inside.over > LONGEST:
            self._unwatch()

    def _unwatch(self) -> None:
        self.mode.inside = None
        self.inside.stop()

    def _write(self, who: int) -> None:
        book, modules = self.book, self.book.sites.modules
        job.spool.event("memory_sites", sites=book.sites.table[self.told :], modules=modules.names[self.names :])
        self.told, self.names = len(book.sites.table), len(modules.names)
        events = book.events[self.since :]
        if len(events) > MOST_EVENTS:
            return
        order = sorted({*self.begin, *(n if n >= 0 else -n - 1 for n in events)})
        job.spool.event(
            "stream", number=self.steps, who=who, begin=self.begin, events=list(events), storages=order,
            sizes=[book.size[n] for n in order], sites=[book.site[n] for n in order],
            kinds=[book.kind.get(n, 0) for n in order], ops=list(self.mode.ops), calls=self.mode.calls.tolist(),
            since=self.since, fed=self._used(book.fed), written=self._used(book.written),
        )  # fmt: skip

    def _used(self, by: dict[int, int]) -> list[int]:
        """Storages that were there before and that a model call has used so in this step; no weights."""
        kind = self.book.kind
        return [n for n in self.begin if by.get(n) == self.book.step and kind.get(n, kinds.BUFFER) == kinds.BUFFER]

    def finish(self) -> None:
        """At the end of the job: what an unfinished step took, too."""
        self._unwatch()
        self._write(-1)
        owners = list(kinds.owners(self.book).items())
        job.spool.event("memory_owners", owners=owners, learned=sorted(self.learned))
        self.growth.finish()
        job.spool.event("memory_blocks", blocks=kinds.blocks(self.torch))
