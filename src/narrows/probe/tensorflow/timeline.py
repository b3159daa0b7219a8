"""From a recording to what each op took of the main thread's time. Pure.

Ops of a graph run beside each other on several threads. At each moment of a call the time is shared by those that run;
where none does and the call waits for its input, it is the input's; else it is the cost of getting ops to run.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .recording import Event

RUNS = ("ExecutorState::Process", "ExecutorState::ProcessAsync::Done")
INPUT = "IteratorGetNext"


class Share(NamedTuple):
    name: str
    """An op's, as in the graph after optimization; empty outside of a graph."""
    kind: str
    """Its type: `MatMul`; `""` for the wait for input."""
    begin: int
    """Picoseconds since the recording began."""
    spent: int
    """Picoseconds of the main thread's time."""


def graph_ops(events: Sequence[Event], main: int, known: Callable[[str], bool]) -> list[Share]:
    """What the main thread's calls of graphs went to. `known`: whether an op of that name is in a graph of the job's,
    and not one of its pipeline's."""
    runs = {e.told.get("id") for e in events if e.name == "FunctionRun" and e.thread == main}
    return shares([*_kernels(events, runs, known), *_waits(events, runs)])


def element_bytes(events: Iterable[Event]) -> int:
    """Bytes of what the pipeline gives for a step; 0 if it was not asked."""
    sizes = [int(e.told["element_size"]) for e in events if e.name.startswith(INPUT) and "element_size" in e.told]
    return sizes[-1] if sizes else 0


def _kernels(events: Sequence[Event], runs: set[str | None], known: Callable[[str], bool]) -> Iterable[Event]:
    """Ops that belong to these runs: a pipeline's own ops run on the same threads. Which run an op belongs to is not
    always recorded; then its name has to say."""
    by_thread: dict[int, list[Event]] = {}
    for event in events:
        by_thread.setdefault(event.thread, []).append(event)
    for found in by_thread.values():
        found.sort(key=lambda e: (e.begin, -e.end))
        within: list[Event] = []
        for event in found:
            while within and event.begin >= within[-1].end:
                within.pop()
            if event.name in RUNS:
                within.append(event)
            elif event.told.get("long_name", "").endswith(":" + event.name):
                told = within[-1].told if within else {}
                if (told.get("id") or told.get("step_id")) in runs if within else known(_name(event)):
                    yield event


def _name(event: Event) -> str:
    return event.told["long_name"].rpartition(":")[0]


def _waits(events: Sequence[Event], runs: set[str | None]) -> Iterable[Event]:
    for event in events:
        if event.name.startswith(INPUT) and "::DoCompute" in event.name and event.told.get("id") in runs:
            yield event


def shares(events: Iterable[Event]) -> list[Share]:
    """Each moment's time, shared by the ops that run then; by those that wait for input only where none runs."""
    every = list(events)
    marks = sorted([(e.begin, 1, i) for i, e in enumerate(every)] + [(e.end, 0, i) for i, e in enumerate(every)])
    spent = [0.0] * len(every)
    running: set[int] = set()
    waiting: set[int] = set()
    last = 0
    for at, begins, i in marks:
        active = running or waiting
        for j in active:
            spent[j] += (at - last) / len(active)
        last = at
        group = waiting if every[i].name.startswith(INPUT) else running
        if begins:
            group.add(i)
        else:
            group.discard(i)
    return [_share(event, int(ns)) for event, ns in zip(every, spent, strict=True)]


def _share(event: Event, spent: int) -> Share:
    if event.name.startswith(INPUT):
        return Share("", "", event.begin, spent)
    return Share(_name(event), event.name, event.begin, spent)


def eager_ops(events: Sequence[Event], main: int) -> list[Share]:
    """Ops that the main thread ran one by one, in order: of each the time in its kernel."""
    found = []
    current: tuple[str, int] | None = None
    for event in sorted((e for e in events if e.thread == main), key=lambda e: (e.begin, -e.end)):
        if event.name == "EagerExecute":
            current = (event.told.get("eager_op", ""), event.end) if event.told.get("is_func") == "0" else None
        elif event.name.startswith("KernelAndDevice") and current is not None and event.end <= current[1]:
            found.append(Share("", current[0], event.begin, event.end - event.begin))
            current = None
    return found


def stages(events: Iterable[Event]) -> dict[str, list[int]]:
    """By a pipeline's stage: [elements, picoseconds in it and what it asks, threads that ran it]."""
    found: dict[str, list[int]] = {}
    threads: dict[str, set[int]] = {}
    for event in events:
        if event.name.startswith("Iterator::") and "long_name" in event.told:
            name = event.told["long_name"]
            sums = found.setdefault(name, [0, 0, 0])
            sums[0] += 1
            sums[1] += event.end - event.begin
            threads.setdefault(name, set()).add(event.thread)
            sums[2] = len(threads[name])
    return found
