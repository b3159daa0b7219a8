"""Tensors that become more from step to step.

A site grows when more of its storages are alive than ever before, step after step, up to the end: a last batch, a
hidden state that is replaced, an average and a buffer that is full do not. Tensors that no op made (they were there
before, or came from elsewhere) do not count: data that are used for the first time look as if they were new. Nor do
those of a generation: what its calls are given again is a cache, and what went with an earlier one is not held.
"""

import gc
import time
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from .. import job
from . import holders
from .graphs import Graphs
from .track import Book

FIRST, FEWEST = 2, 3
"""Steps: the first that counts, as before it a job makes what it keeps; and how many must have grown."""
LOOKS = frozenset(6 << n for n in range(12))
"""After so many steps it is looked at, too: when a job ends by itself, its functions are over and hold nothing."""
SECONDS = 0.5
"""Of the processor, for a search."""
CHAIN = -1
"""Site of a graph that grows and has no tensors in it."""


def goes_on(grew: list[int], last: int) -> bool:
    """Whether what grew in these steps still did in the last ones."""
    widest = max((after - before for before, after in pairwise(grew)), default=0)
    return len(grew) >= FEWEST and last - grew[-1] <= widest


def from_the_start(grew: list[int], oldest: int) -> bool:
    """Whether what is there has become more ever since, or is of a loop that was longer than those before it: then what
    those made, in which it grew too, is gone."""
    gaps = sorted(after - before for before, after in pairwise(grew))
    return oldest <= grew[len(grew) // 4] + (gaps[len(gaps) // 2] if gaps else 0)


class Growth:
    def __init__(self, torch: Any, book: Book) -> None:
        self.torch, self.book = torch, book
        self.most: dict[int, int] = {}
        self.grew: dict[int, list[tuple[int, int]]] = {}
        """By site: the most storages at the end of a step, and (the step, how many) where that rose."""
        self.ends: list[int] = []
        self.told = 0

    def step(self) -> None:
        """A step is over."""
        try:
            self._count()
            self.ends.append(self.torch._C._autograd._get_sequence_nr())
        except Exception:
            self.ends.append(0)  # an older torch: then all nodes are of now
        self.book.step += 1
        if self.book.step in LOOKS:
            self.tell()

    def _count(self) -> None:
        for site, count in self._counts().items():
            if count > self.most.get(site, 0):
                self.most[site] = count
                if self.book.step >= FIRST:
                    self.grew.setdefault(site, []).append((self.book.step, count))

    def _counts(self) -> dict[int, int]:
        """Storages that are alive, by site."""
        book = self.book
        counts: dict[int, int] = {}
        for number in list(book.numbers):
            if not book.kind.get(number):
                counts[book.site[number]] = counts.get(book.site[number], 0) + 1
        return counts

    def _collect(self, sites: Iterable[int]) -> None:
        """What only waits for that is not held, and has not grown."""
        gc.collect()
        counts = self._counts()
        for site in sites:
            now, before = counts.get(site, 0), self.grew[site]
            if now < self.most[site]:
                self.most[site] = now
                self.grew[site] = [(step, count) for step, count in before if count <= now]
                if self.grew[site] and now > self.grew[site][-1][1]:
                    self.grew[site].append((self.book.step - 1, now))

    def finish(self) -> None:
        """At the end, which comes twice. After a job that ended by itself, what was seen before stands."""
        if self.told != self.book.step and (not self.told or holders.inside()):
            self.tell()

    def tell(self) -> None:
        """What grows and who holds it, as an event. Takes up to a second of the processor's time."""
        try:
            self.told = self.book.step
            groups = self._groups()
            if groups and gc.isenabled():
                self._collect(groups)
            job.spool.event("growth", steps=self.book.step, groups=self._found(self._groups()))
        except Exception as error:
            job.quiet(error)

    def _groups(self) -> dict[int, list[int]]:
        """Storages by site, of those that grow."""
        book = self.book
        found: dict[int, list[int]] = {}
        for number in list(book.numbers):
            site = book.site[number]
            if site not in self.grew or book.kind.get(number) or not FIRST <= book.born[number] < book.step:
                continue
            if job.updates or book.fed.get(number, 0) < max(book.born[number] + 1, book.step - 1):
                found.setdefault(site, []).append(number)
        return {
            site: numbers
            for site, numbers in found.items()
            if book.sites.table[site][2] is not None
            and goes_on([step for step, _ in self.grew[site]], book.step - 1)
            and len({book.born[n] for n in numbers}) >= FEWEST
            and from_the_start([step for step, _ in self.grew[site]], min(book.born[n] for n in numbers))
        }

    def _found(self, groups: dict[int, list[int]]) -> list[dict[str, Any]]:
        book = self.book
        wanted = {n for numbers in groups.values() for n in numbers}
        addresses = {address: ref.number for address, ref in list(book.alive.items()) if ref.number in wanted}
        deadline = time.thread_time() + SECONDS
        graphs = Graphs(self.torch, addresses, self.ends, deadline)
        search = holders.Search(self.torch, book, graphs, deadline)
        try:
            chains = search.best(lambda kept: self._chain(graphs, kept))
            made = [self._group(search, site, numbers, chains) for site, numbers in groups.items()]
            names = {holder["name"] for group in made for holder in group["holders"]}
            held = search.told(chains)
            if held and not any(holder["name"] in names for holder in held):
                made.append(
                    {
                        "site": CHAIN, "per_step_count": 0, "per_step_bytes": 0, "graph": True, "steps": book.step,
                        "nodes": search.nodes(chains) / book.step, "holders": held,
                    }
                )  # fmt: skip
            return made
        finally:
            search.forget()

    def _group(self, search: holders.Search, site: int, numbers: list[int], chains: holders.Found) -> dict[str, Any]:
        """What of one site grows. `chains`: what holds a graph that grows."""
        born = self.book.born
        every, within = {born[n] for n in numbers}, set(numbers)
        best = search.best(lambda kept: len({born[n] for n in kept & within}))
        graph = 2 * len({born[n] for n in search.in_graphs & within}) > len(every)
        # Of the last step there may be more: what is going to be replaced.
        counted = every - {max(every)}
        sizes = [self.book.size[n] for n in numbers if born[n] in counted]
        return {
            "site": site, "per_step_count": len(sizes) / len(counted), "per_step_bytes": sum(sizes) / len(counted),
            "steps": len(every), "graph": graph, "nodes": search.nodes(best) / self.book.step if graph else 0,
            "holders": search.told(best or (chains if graph else [])),
        }  # fmt: skip

    def _chain(self, graphs: Graphs, kept: Iterable[int]) -> int:
        """How many steps a graph reaches back over; 0 unless it goes back to the start."""
        steps = sorted({graphs.steps[-1 - n] for n in kept if n < 0} - {self.book.step})
        return len(steps) if steps and steps[0] < FIRST and goes_on(steps[1:], self.book.step - 1) else 0
