"""What is known when a job runs out of memory: written down as it is, and read by narrows afterwards.

Called at exit, when little memory may be left: each number is one small file, and each may be missing.
"""

import errno
import os
import resource
import sys
from types import TracebackType
from typing import Any

from . import job, places

SAID = (
    "DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory", "CUDA out of memory",
    "CUDA error: out of memory", "HIP out of memory", "XPU out of memory", "MPS backend out of memory",
    "Caught MemoryError in ", "MemoryError: Unable to allocate ",
)  # fmt: skip
"""In the text of an error; the last two where it hands on what a worker or a child said."""
MOST_FRAMES, MOST_TEXT = 60, 8000
NO_LIMIT = 1 << 60
"""Bytes; a control group of version 1 writes a number about as large as there are for "no limit"."""


def note(error: BaseException) -> None:
    """Write down an error that ended the job, if it is for memory. Never raises."""
    try:
        found = cause(error)
        if found is None:
            return
        frames = _frames(found.__traceback__)
        user = next((frame for frame in reversed(frames) if frame[0] == "user"), None)
        job.spool.event(
            "out_of_memory",
            type=type(found).__name__,
            message=str(found)[:MOST_TEXT],
            frames=frames,
            text=_line(user[1], user[2]) if user else None,
            **process(),
            **limits(),
        )
    except Exception as fault:
        job.quiet(fault)


def cause(error: BaseException | None) -> BaseException | None:
    """The error for memory that this one is, or was raised from."""
    for _ in range(10):
        if error is None or is_out_of_memory(error):
            return error
        error = error.__cause__
    return None


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    told = isinstance(error, RuntimeError) or type(error).__name__ == "ProcessRaisedException"
    return told and any(text in str(error) for text in SAID)


def limits() -> dict[str, Any]:
    """In bytes: the limits of this process (None: there is none), and what the machine has."""
    machine = _numbers("/proc/meminfo")
    return {
        "limit_size": _limit(resource.RLIMIT_AS),
        "limit_data": _limit(resource.RLIMIT_DATA),
        "group": _group(),
        "total": machine.get("MemTotal"),
        "available": machine.get("MemAvailable"),
    }


def process() -> dict[str, Any]:
    """In bytes: the addresses that this process has, what of them is in memory, the most of both, its data, and what in
    memory is pages of files."""
    mine = _numbers("/proc/self/status")
    named = {"size": "VmSize", "peak_size": "VmPeak", "rss": "VmRSS", "peak_rss": "VmHWM", "data": "VmData",
             "files": "RssFile"}  # fmt: skip
    return {name: mine.get(key) for name, key in named.items()}


def peak() -> int:
    """Bytes: the most of this process that was in memory. `ru_maxrss` begins with what the process that started it had."""
    unit = 1 if sys.platform == "darwin" else 1024
    return int(process()["peak_rss"] or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def _limit(which: int) -> int | None:
    soft, _ = resource.getrlimit(which)
    return None if soft == resource.RLIM_INFINITY else soft


def _group() -> list[int] | None:
    """[limit, in use] of the tightest control group that this process is in, of either version."""
    found = []
    for line in (_read("/proc/self/cgroup") or "").splitlines():
        names, _, path = line.partition(":")[2].partition(":")
        if names and "memory" not in names.split(","):
            continue
        files = ("memory.limit_in_bytes", "memory.usage_in_bytes") if names else ("memory.max", "memory.current")
        parts = [part for part in path.split("/") if part and part != ".."]
        for root in ("/sys/fs/cgroup/memory",) if names else ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            for depth in range(len(parts), -1, -1):
                limit, used = ((_read(os.path.join(root, *parts[:depth], name)) or "").strip() for name in files)
                if limit.isdigit() and used.isdigit() and int(limit) < NO_LIMIT:
                    found.append([int(limit), int(used)])
    return min(found, default=None)


def _frames(trace: TracebackType | None) -> list[list[Any]]:
    """[kind, file, line, name] of the innermost frames, the innermost last."""
    found: list[list[Any]] = []
    while trace is not None:
        frame = trace.tb_frame
        code = frame.f_code
        kind = places.kind(code.co_filename)
        if kind == "user" and "_narrows_remedies" in str(frame.f_globals.get("__name__")):
            kind = "probe"
        found.append([kind, code.co_filename, trace.tb_lineno, f"{frame.f_globals.get('__name__')}.{code.co_qualname}"])
        trace = trace.tb_next
    return found[-MOST_FRAMES:]


def _line(file: str, number: int) -> str | None:
    """The text of a line of source."""
    lines = (_read(file) or "").splitlines()
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else None


def _numbers(path: str) -> dict[str, int]:
    """Bytes by name, of a file with lines like `VmSize:  641588 kB`."""
    found = {}
    for line in (_read(path) or "").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdigit():
            found[name] = int(words[0]) * 1024
    return found


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
