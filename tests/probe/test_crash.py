"""What the probe takes for a want of memory, first what is none; and what it writes down then."""

import errno
from pathlib import Path
from typing import Any

import pytest

from narrows.probe import crash, job

REFUSED = (
    "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."
)


def raised(error: BaseException, origin: BaseException | None = None) -> BaseException:
    """The error with its traceback."""
    try:
        raise error from origin
    except BaseException as found:
        return found


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes do not fit"),
        RuntimeError("there is not enough memory of it"),
        ValueError(REFUSED),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyboardInterrupt(),
        SystemExit(1),
    ],
)
def test_another_error_is_none(error: BaseException) -> None:
    assert crash.cause(raised(error)) is None


def test_one_that_was_handled_is_none() -> None:
    """An error of the handler has it as its context, and was not raised from it."""

    def retry() -> None:
        try:
            raise MemoryError
        except MemoryError:
            {}["no"]

    with pytest.raises(KeyError) as found:
        retry()
    assert isinstance(found.value.__context__, MemoryError)
    assert crash.cause(found.value) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(REFUSED),
        type("OutOfMemoryError", (RuntimeError,), {})("full"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("Caught MemoryError in DataLoader worker process 0."),
        type("ProcessRaisedException", (Exception,), {})(f"Process 0 terminated:\nRuntimeError: {REFUSED}"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
)
def test_what_is_one(error: BaseException) -> None:
    assert crash.cause(raised(error)) is error
    assert crash.cause(raised(ValueError("no"), error)) is error


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that were written."""
    written: list[dict[str, Any]] = []

    class Spool:
        def event(self, kind: str, **values: Any) -> None:
            written.append({"k": kind, **values})

    monkeypatch.setattr(job, "spool", Spool())
    return written


def test_one_event_is_written(told: list[dict[str, Any]]) -> None:
    crash.note(raised(ValueError("no")))
    assert told == []
    crash.note(raised(MemoryError("much")))
    (event,) = told
    assert (event["k"], event["type"], event["message"]) == ("out_of_memory", "MemoryError", "much")
    kind, file, line, name = event["frames"][-1]
    assert (kind, Path(file), name) == ("user", Path(__file__), f"{__name__}.raised")
    assert event["text"] == Path(__file__).read_text().splitlines()[line - 1].strip() == "raise error from origin"
    assert event["size"] is None or event["peak_size"] >= event["size"] >= event["rss"] > 0


def test_a_fault_of_ours_is_a_note(told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crash, "_frames", lambda trace: 1 // 0)
    crash.note(raised(MemoryError()))
    assert [event["k"] for event in told] == ["fault"]


GROUPS = {
    "version 1": ("4:memory:/a/b\n1:cpu:/a\n", "sys/fs/cgroup/memory/a", ("memory.limit_in_bytes", "memory.usage_in_bytes")),
    "version 2": ("0::/a/b\n", "sys/fs/cgroup/a", ("memory.max", "memory.current")),
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_the_tightest_group_counts(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, folder, files = GROUPS[name]
    none = "max" if name == "version 2" else str((1 << 63) - 4096)
    for place, limit in (
        (tmp_path / folder / "b", none),
        (tmp_path / folder, "500"),
        ((tmp_path / folder).parent, "900"),
    ):
        place.mkdir(parents=True, exist_ok=True)
        for file, value in zip(files, (limit, "77"), strict=True):
            (place / file).write_text(value + "\n")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(mine)
    read = crash._read
    monkeypatch.setattr(crash, "_read", lambda path: read(str(tmp_path) + path))
    assert crash._group() == [500, 77]
    (tmp_path / "proc/self/cgroup").unlink()
    assert crash._group() is None
