"""What a generation keeps from one model call to the next: keys and values of what came before. Pure.

It is known by what is done with it, not by a name: a model call made it, the next one is given it, and it becomes more from
call to call; or there is room for all of it, and each call fills in a piece. A hidden state (or an output that is the next
input) is another one in each call and does not become more, and outputs that are put into a list are not given again: these
are no cache.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from narrows.memory.stream import BUFFER, Site, Storage, Stream, streams, trains
from narrows.spool.record import Process

FEWEST = 4
"""Calls of a generation."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    storages: frozenset[int]
    """All that ever were one."""
    calls: tuple[Stream, ...]
    """Of the longest generation; the first one makes it."""
    bytes_per_call: int
    """By which it grows; 0: there is room for all of it from the start."""


@dataclass(frozen=True, kw_only=True)
class _Call:
    stream: Stream
    fed: frozenset[int]
    """What an earlier call made and this one was given."""
    room: frozenset[int]
    """What was there, and this one filled in a piece of."""
    left: frozenset[int]
    """What came in it, or since the one before it, and is still there."""

    @property
    def held(self) -> frozenset[int]:
        return self.fed | self.room

    @property
    def bytes(self) -> int:
        return sum(self.stream.storages[n].bytes for n in self.held)


def calls(process: Process) -> list[Stream]:
    """Of a memory run; none of a job that trains."""
    ends = {event["number"] for event in process.events.get("memory_step", ())}
    return [] if trains(process) else [stream for stream in streams(process) if stream.number in ends]


def cache(seen: Iterable[Stream]) -> Cache | None:
    """Of model calls in order; None where there is none."""
    by: dict[int, list[_Call]] = {}
    for stream in seen:
        by.setdefault(stream.who, []).append(_call(stream))
    every = [each for calls in by.values() for each in _generations(calls)]
    kept = {n for each in every for call in each for n in (call.held if _growth(each) else call.room)}
    at_the_end = [each for each in every if each[-1].held & kept]
    if not at_the_end:  # or there was room that only an early call filled a piece of
        return None
    # What the last call of a generation left is given to none, and is known by where it was made.
    known = {(n, call.stream.storages[n]) for each in by.values() for call in each for n in call.fed | call.left}
    sites = {storage.site for n, storage in known if n in kept and _made(storage)}
    last = {n for n, storage in known if _made(storage) and storage.site in sites}
    longest = max(at_the_end, key=len)
    return Cache(
        storages=frozenset(kept | last), calls=tuple(call.stream for call in longest), bytes_per_call=_growth(longest)
    )


def largest(needed: Sequence[int], per_call: int, limit: int) -> int | None:
    """Calls of a generation that fit, by what those seen needed: it goes on as in their later half. None if it does not
    grow; 0 if not even the first one fits."""
    if not per_call:
        return None
    for done, need in enumerate(needed):
        if need > limit:
            return done
    middle = len(needed) // 2
    step = max(per_call, (needed[-1] - needed[middle]) / (len(needed) - 1 - middle))
    return len(needed) + int((limit - needed[-1]) / step)


def _call(stream: Stream) -> _Call:
    made = {event for event in stream.events if event >= 0}
    gone = {-event - 1 for event in stream.events if event < 0}
    return _Call(
        stream=stream,
        fed=frozenset(n for n in stream.fed if _made(stream.storages[n])),
        room=frozenset(n for n in stream.written if stream.storages[n].kind in (0, BUFFER)),
        left=frozenset(made - gone),
    )


def _made(storage: Storage) -> bool:
    """In a model call, and no weight of it."""
    site = storage.site
    return not storage.kind and bool(site.op) and bool(site.module or site.state in ("forward", "evaluate"))


def _generations(calls: Iterable[_Call]) -> list[list[_Call]]:
    """Calls each of which was given what the one before it made or filled."""
    found: list[list[_Call]] = []
    for call in calls:
        before = found[-1][-1] if found else None
        if before is not None and call.held & (before.left | before.room):
            found[-1].append(call)
        else:
            found.append([call])
    return [_without_states(each) for each in found if len(each) >= FEWEST]


def _without_states(calls: Sequence[_Call]) -> list[_Call]:
    """From the third call on it is seen what is another one in each call, and no larger."""
    by: dict[Site, list[dict[int, int]]] = {}
    for call in calls[2:]:
        sizes: dict[Site, dict[int, int]] = {}
        for n in call.fed:
            storage = call.stream.storages[n]
            sizes.setdefault(storage.site, {})[n] = storage.bytes
        for site, held in sizes.items():
            by.setdefault(site, []).append(held)
    states = {
        site
        for site, seen in by.items()
        if all(
            sum(after.values()) <= sum(before.values()) and not after.keys() & before
            for before, after in pairwise(seen)
        )
    }
    return [
        replace(call, fed=frozenset(n for n in call.fed if call.stream.storages[n].site not in states))
        for call in calls
    ]


def _growth(calls: Sequence[_Call]) -> int:
    """Bytes in each call; 0 if it does not become more. The second one may be given more than the third: keys and values
    that are still views of what else came out of the same product."""
    sizes = [call.bytes for call in calls[2:]]
    if any(after < before for before, after in pairwise(sizes)):
        return 0
    return round((sizes[-1] - sizes[0]) / max(1, len(sizes) - 1))
