"""Keeps what TensorFlow's profiler says of itself out of the job's standard error, and nothing else."""

import contextlib
import os
from collections.abc import Iterator

OWN = (b"profiler_session.cc", b"session_manager.cc")


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """What is written to standard error meanwhile (some milliseconds) is written there afterwards, but for those lines.

    TensorFlow's log has no switch that can be thrown while it runs.
    """
    saved = _turned_aside()
    try:
        yield
    finally:
        if saved is not None:
            _turned_back(*saved)


def _turned_aside() -> tuple[int, int] | None:
    """(standard error, what stands in for it); None where it cannot be turned aside."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        memory = os.memfd_create("narrows")
        try:
            error = os.dup(2)
        except OSError:
            os.close(memory)
            return None
        os.dup2(memory, 2)
    except OSError:
        return None
    return error, memory


def _turned_back(error: int, memory: int) -> None:
    os.dup2(error, 2)
    os.close(error)
    try:
        os.lseek(memory, 0, os.SEEK_SET)
        said = b""
        while part := os.read(memory, 1 << 16):
            said += part
        rest = b"".join(line for line in said.splitlines(keepends=True) if not any(name in line for name in OWN))
        while rest:
            rest = rest[os.write(2, rest) :]
    except OSError:
        pass
    finally:
        os.close(memory)
