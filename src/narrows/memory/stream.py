"""One step of a memory run: which storages came and went, and what is known of each. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, Protocol

from narrows.spool.record import STATES, UPDATE, Process

PARAMETER, GRADIENT, STATE, BUFFER = 1, 2, 3, 4
"""Kinds of a storage: the numbers of `probe/memory/kinds.py`; 0: none of these."""
HEAP = 32 << 20
"""Bytes. The C library gives larger blocks back at once; smaller ones it keeps in a heap that breaks into pieces."""


class Level(Protocol):
    """What has to be known of a step to say what a process needs for it."""

    @property
    def peak(self) -> tuple[int, int]:
        """(the most bytes at one time, when that is)."""

    @property
    def small(self) -> int:
        """Bytes of the tensors at the peak that are in blocks small enough for the C library's heap."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where storages are made."""

    state: str
    """One of `spool.record.STATES`."""
    module: str
    """Path of the innermost module that was being called; empty outside of all."""
    op: str
    file: str
    line: int
    collective: bool
    """A library of collectives asked for it."""
    device: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True, kw_only=True)
class Storage:
    bytes: int
    site: Site
    kind: int
    model: int | None = None
    """Index of the model whose parameter it is."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    number: int
    """Of the boundary that ended it; one without ended the job."""
    who: int
    """Index of the optimizer or model whose boundary it is; -1: none."""
    begin: tuple[int, ...]
    """Storages that were there at its start."""
    events: tuple[int, ...]
    """n: storage n came; -n - 1: it went."""
    storages: Mapping[int, Storage]
    calls: tuple[tuple[str, int, int], ...] = ()
    """(op, events after which it ended, bytes that it was given and made), of each that is not small."""
    inside: Mapping[int, int] = field(default_factory=dict)
    """Bytes that an op took for itself beside its tensors, by the events after which it ended."""
    fed: frozenset[int] = frozenset()
    """Storages from its start, but for weights, that an op of a model call was given."""
    written: frozenset[int] = frozenset()
    """Those that one changed a piece of."""

    @cached_property
    def levels(self) -> Sequence[int]:
        """Bytes at its start and after each event."""
        changes = (self.storages[e].bytes if e >= 0 else -self.storages[-e - 1].bytes for e in self.events)
        return list(accumulate(changes, initial=sum(self.storages[n].bytes for n in self.begin)))

    @cached_property
    def small_levels(self) -> Sequence[int]:
        """The same, of storages that are in the C library's heap."""

        def size(n: int) -> int:
            found = self.storages[n].bytes
            return found if found < HEAP else 0

        changes = (size(e) if e >= 0 else -size(-e - 1) for e in self.events)
        return list(accumulate(changes, initial=sum(map(size, self.begin))))

    @property
    def small(self) -> int:
        return self.small_levels[self.peak[1]]

    @cached_property
    def peak(self) -> tuple[int, int]:
        """(the most bytes at one time, after how many events)."""
        held = [level + self.inside.get(at, 0) for at, level in enumerate(self.levels)]
        most = max(held)
        return most, held.index(most)

    @property
    def device(self) -> bool:
        """Its storages are a device's, not the machine's."""
        return any(storage.site.device != "cpu" for storage in self.storages.values())

    def alive(self, after: int) -> list[int]:
        """Storages that are there after so many events, in the order in which they came."""
        found = dict.fromkeys(self.begin)
        for event in self.events[:after]:
            if event >= 0:
                found[event] = None
            else:
                found.pop(-event - 1, None)
        return list(found)


def streams(process: Process) -> list[Stream]:
    """Of a process of a memory run, in order; storages of its main device only: the one that holds most parameters."""
    names: list[str] = []
    table: list[Site] = []
    for event in process.events.get("memory_sites", ()):
        names.extend(event["modules"])
        table.extend(_site(row, names) for row in event["sites"])
    owners = dict(process.last("memory_owners").get("owners") or ())
    found = [_stream(event, table, owners) for event in process.events.get("stream", ()) if event["events"]]
    device = _main_device(found)
    return [each for each in (_only(stream, device) for stream in found) if each.events]


def _site(row: Sequence[Any], names: Sequence[str]) -> Site:
    state, module, op, place, collective, device = row
    return Site(
        state=STATES[state], module=names[module] if module >= 0 else "", op=(op or "").removeprefix("aten."),
        file=place[0] if place else "", line=place[1] if place else 0, collective=collective, device=device,
    )  # fmt: skip


def _stream(event: Mapping[str, Any], table: Sequence[Site], owners: Mapping[int, int]) -> Stream:
    rows = zip(event["storages"], event["sizes"], event["sites"], event["kinds"], strict=True)
    return Stream(
        number=event["number"],
        who=event["who"],
        begin=tuple(event["begin"]),
        events=tuple(event["events"]),
        storages={
            n: Storage(bytes=size, site=table[site], kind=kind, model=owners.get(n)) for n, size, site, kind in rows
        },
        calls=tuple(
            (event["ops"][op].removeprefix("aten."), at - event["since"], handled)
            for op, at, handled in batched(event["calls"], 3)
        ),
        fed=frozenset(event.get("fed", ())),
        written=frozenset(event.get("written", ())),
    )


def _main_device(found: Sequence[Stream]) -> str:
    held: dict[str, int] = {}
    for storage in found[-1].storages.values() if found else ():
        if storage.kind in (PARAMETER, BUFFER):
            held[storage.site.device] = held.get(storage.site.device, 0) + storage.bytes
    return max(held, key=lambda device: held[device], default="cpu")


def _only(stream: Stream, device: str) -> Stream:
    if all(storage.site.device == device for storage in stream.storages.values()):
        return stream
    kept = {n: storage for n, storage in stream.storages.items() if storage.site.device == device}
    return replace(
        stream,
        begin=tuple(n for n in stream.begin if n in kept),
        events=tuple(e for e in stream.events if (e if e >= 0 else -e - 1) in kept),
        storages=kept,
        calls=(),  # a device's allocator says its peak itself
        fed=stream.fed & kept.keys(),
        written=stream.written & kept.keys(),
    )


def batched(values: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    """As `itertools.batched` of Python 3.12."""
    return zip(*[iter(values)] * size, strict=True)


def trains(process: Process) -> bool:
    return any(event["boundary"] == UPDATE for event in process.events.get("memory_step", ()))


def ended(process: Process) -> int:
    """Updates, and model calls before the first, that a run saw to their end."""
    return len(process.events.get("memory_step", ()))


def settled(process: Process, ends: int) -> bool:
    """Whether each optimizer made a second update within the first `ends`; also true of a job that does not train."""
    told = process.events.get("memory_step", ())[:ends]
    turns = Counter(event["who"] for event in told if event["boundary"] == UPDATE)
    return all(count > 1 for count in turns.values())


def representative(process: Process, ends: int = 0) -> Stream | None:
    """The step that stands for the job: of all that came after an optimizer's first, when its state is there, the one with
    the highest peak (steps differ: a last batch is a smaller one, and an evaluation comes now and then); of a job that does
    not train, the call with the highest. `ends`: of so many, as another run may have come less far; 0: of all."""
    every = streams(process)
    told = {event["number"]: event for event in process.events.get("memory_step", ())}
    seen = [s for s in every if s.number in told and (not ends or s.number < ends)]
    updates = [s for s in seen if told[s.number]["boundary"] == UPDATE]
    first = {s.who: s.number for s in reversed(updates)}
    late = [s for s in updates if s.number != first[s.who]]
    return max(late or updates or seen or every, key=lambda stream: stream.peak[0], default=None)
