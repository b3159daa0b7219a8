"""Who holds tensors: from a tensor to what refers to it, up to something that has a name in the user's source."""

import gc
import sys
import time
from collections import deque
from collections.abc import Callable
from types import FrameType, FunctionType, ModuleType
from typing import Any

from .. import places
from .graphs import Graphs
from .names import Names
from .track import Book

WIDEST, DEEPEST, ALIKE = 96, 7, 3
"""Objects that are followed at once (each costs time for every object that there is), steps up, and tensors of one site
and step that are followed."""
FEWEST, MOST_TOLD = 3, 4
"""Steps whose tensors a holder holds, and holders that are told of each site."""
_SIZED = (list, dict, set, frozenset, tuple, deque)

Found = list[tuple[Any, dict[str, Any]]]
"""(object, what its name is)."""


def inside() -> bool:
    """Whether the job's own code is running, and its functions hold what they hold."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if places.kind(frame.f_code.co_filename) == "user":
            return True
        frame = frame.f_back
    return False


class Search:
    def __init__(self, torch: Any, book: Book, graphs: Graphs, deadline: float) -> None:
        self.tensor, self.book, self.graphs, self.deadline = torch.Tensor, book, graphs, deadline
        self.objects: dict[int, Any] = {}
        """By id, the nearest to the tensors first."""
        self.kept: dict[int, set[int]] = {}
        """What is there because of each: numbers of storages, and below 0 of nodes."""
        self.parents: dict[int, list[Any]] = {}
        self.in_graphs: set[int] = set()
        """Storages of tensors with a graph, or that a graph has saved."""
        self.names = Names(self.parents)
        self._tensors()
        self._climb()

    def forget(self) -> None:
        """All of it, so that nothing is held from here."""
        for each in (self.objects, self.kept, self.parents, self.graphs.nodes):
            each.clear()

    def _tensors(self) -> None:
        """Those that keep something: their own storage, or what their graph has saved."""
        kinds: dict[type, bool] = {}
        found: list[tuple[Any, set[int], Any]] = []
        for each in gc.get_objects():
            kind = type(each)
            if kind not in kinds:
                kinds[kind] = issubclass(kind, self.tensor)
            if not kinds[kind]:
                continue
            try:
                number = self.graphs.numbers.get(each.untyped_storage()._cdata)
                root = each.grad_fn
                kept = self.graphs.kept(root) if root is not None else set()
            except Exception:
                continue  # one without a storage
            if number is not None:
                kept.add(number)
            if root is not None:
                self.in_graphs.update(n for n in kept if n >= 0)
            if kept:
                steps = (self.graphs.steps[-1 - n] if n < 0 else self.book.born[n] for n in kept)
                found.append((each, kept, (self.book.site[number] if number is not None else None, max(steps))))
        found.sort(key=lambda item: -len(item[1]))
        taken: dict[Any, int] = {}
        for each, kept, alike in found:
            taken[alike] = taken.get(alike, 0) + 1
            if taken[alike] <= ALIKE and len(self.objects) < WIDEST:
                self.objects[id(each)], self.kept[id(each)] = each, kept

    def _climb(self) -> None:
        """Find what refers to them, step by step."""
        front = list(self.objects.values())
        for _ in range(DEEPEST):
            if not front or time.thread_time() > self.deadline:
                return
            known = set(map(id, front))
            ours = {id(front), id(self.objects), id(self.graphs.nodes), *map(id, self.parents.values())}
            above: list[Any] = []
            for parent in gc.get_referrers(*front):
                if id(parent) in ours or _foreign(parent):
                    continue
                below = known.intersection(map(id, gc.get_referents(parent)))
                for child in below:
                    self.parents.setdefault(child, []).append(parent)
                    self.kept.setdefault(id(parent), set()).update(self.kept[child])
                if id(parent) not in self.objects:
                    self.objects[id(parent)] = parent
                    if id(parent) not in self.names.modules and not isinstance(parent, (type, FrameType)):
                        above.append(parent)
            front = above[:WIDEST]

    def best(self, score: Callable[[set[int]], int]) -> Found:
        """Those that hold most steps' tensors, and nearly so many, the nearest to the tensors first."""
        scores = {each: score(kept) for each, kept in self.kept.items()}
        found: Found = []
        least = FEWEST
        for each in sorted(scores, key=lambda each: -scores[each]):
            if scores[each] < least or len(found) == MOST_TOLD:
                break
            value = self.objects[each]
            if each in self.names.modules or isinstance(value, (type, FrameType, FunctionType)):
                continue
            named = self.names.of(value)
            if named is not None and not (named["name"].endswith("[...]") and isinstance(value, self.tensor)):
                least = max(least, scores[each] - 1)
                found.append((value, named))
        return found

    def told(self, found: Found) -> list[dict[str, Any]]:
        return [
            {
                **named,
                "kind": "tensor" if isinstance(value, self.tensor) else type(value).__name__,
                "length": len(value) if isinstance(value, _SIZED) else None,
                "most": getattr(value, "maxlen", None) if isinstance(value, deque) else None,
            }
            for value, named in found
        ]

    def nodes(self, found: Found) -> int:
        """Of graphs, that the first of them keeps."""
        return sum(n < 0 for n in self.kept[id(found[0][0])]) if found else 0


def _foreign(value: Any) -> bool:
    """Ours, or of no use: a running function of the probe, a module."""
    if isinstance(value, FrameType):
        return places.kind(value.f_code.co_filename) != "user"
    return isinstance(value, ModuleType) or type(value).__module__.startswith("_narrows")
