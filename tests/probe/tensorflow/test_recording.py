"""The wire format, written by hand as the profiler writes it."""

import pytest

from narrows.probe.tensorflow import recording


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found, value = found + bytes([value & 127 | 128]), value >> 7
    return found + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def text(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def event(name: bytes, begin: int, length: int, **told: bytes) -> bytes:
    arguments = b"".join(text(11, text(1, key.encode()) + text(2, value)) for key, value in told.items())
    return text(4, number(2, 7) + text(3, name) + number(9, begin) + number(10, length) + arguments)


def test_events_are_read_and_all_else_is_passed_over() -> None:
    data = text(1, b"a device") + number(5, 300) + event(b"MatMul", 1_000_000, 2_000, long_name=b"dense/MatMul:MatMul")
    (found,) = recording.events(data)
    assert found == recording.Event(7, 1_000_000, 1_002_000, "MatMul", {"long_name": "dense/MatMul:MatMul"})


def test_a_name_that_is_no_text_does_not_stop_it() -> None:
    (found,) = recording.events(event(b"\xff\xfe", 0, 1))
    assert found.name == "\ufffd\ufffd"


def test_what_is_no_recording_raises() -> None:
    with pytest.raises((ValueError, IndexError)):
        list(recording.events(b"\x0b\x00"))
    with pytest.raises((ValueError, IndexError)):
        list(recording.events(b"\xff"))
