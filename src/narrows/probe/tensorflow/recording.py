"""Reads what TensorFlow's own profiler recorded: the wire format of `tsl/profiler/protobuf/trace_events.proto`.

By hand, as a few of its fields are all that is needed, and no module of TensorFlow for it is public.
"""

from collections.abc import Iterator
from typing import NamedTuple

Value = int | bytes
EVENTS, THREAD, NAME, BEGIN, LENGTH, ARGUMENTS = 4, 2, 3, 9, 10, 11
"""Numbers of the fields of a `Trace` (the first) and of a `TraceEvent`."""


class Event(NamedTuple):
    thread: int
    begin: int
    """Picoseconds since the recording began."""
    end: int
    name: str
    told: dict[str, str]
    """`long_name` is an op's `name:Type`, `shape` those of its inputs, as `(float32[64,512];float32[10])`."""


def events(data: bytes) -> Iterator[Event]:
    """Every event of every thread. Raises `IndexError` or `ValueError` on what is no such record."""
    for field, value in _fields(data):
        if field == EVENTS and isinstance(value, bytes):
            yield _event(value)


def _event(data: bytes) -> Event:
    thread = begin = length = 0
    name = ""
    told: dict[str, str] = {}
    for field, value in _fields(data):
        if isinstance(value, int):
            if field == THREAD:
                thread = value
            elif field == BEGIN:
                begin = value
            elif field == LENGTH:
                length = value
        elif field == NAME:
            name = value.decode("utf-8", "replace")
        elif field == ARGUMENTS:
            entry = dict(_fields(value))
            told[_text(entry.get(1))] = _text(entry.get(2))
    return Event(thread, begin, begin + length, name, told)


def _text(value: Value | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """(number, value) of each field of a message; fixed-size numbers as their bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
