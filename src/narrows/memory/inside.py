"""What ops take for themselves, carried over from the step in which the allocator was watched to any other. Pure.

An op takes in proportion to the tensors that it handles: each call of a step is compared with the same call of the watched
one, and where a step has more or fewer of them, with the greediest.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from narrows.memory.stream import Stream
from narrows.spool.record import Process

Ratios = Mapping[int, Mapping[str, Sequence[float]]]
"""Bytes taken for each byte handled, by optimizer (or model) and op, in the order of its calls."""


def ratios(process: Process) -> Ratios:
    return {event["who"]: _ratios(event["calls"]) for event in process.events.get("inside", ())}


def _ratios(calls: Mapping[str, Sequence[tuple[int, int]]]) -> Mapping[str, Sequence[float]]:
    return {
        op.removeprefix("aten."): [taken / max(1, handled) for handled, taken in seen] for op, seen in calls.items()
    }


def with_inside(stream: Stream, every: Ratios) -> Stream:
    """The stream with what its ops take for themselves."""
    known = every.get(stream.who, {})
    calls = [call for call in stream.calls if call[0] in known]
    counts = Counter(op for op, _, _ in calls)
    passed: Counter[str] = Counter()
    inside: dict[int, int] = {}
    for op, at, handled in calls:
        ratio = known[op][passed[op]] if counts[op] == len(known[op]) else max(known[op])
        passed[op] += 1
        inside[at] = max(inside.get(at, 0), round(ratio * handled))
    return replace(stream, inside={at: taken for at, taken in inside.items() if taken})
