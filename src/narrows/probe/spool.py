"""The crash-safe spool: what a process writes so that the report exists however the process ends.

Two files for each process, both absolute paths fixed at the start:

`<id>.steps`   a header and fixed-size records in a shared mapping. What is written there survives SIGKILL, since
               the pages belong to the kernel. Disk space is reserved before it is mapped: a mapping on a full
               disk would kill the job with SIGBUS.
`<id>.jsonl`   rare events, each one `open, write, close`: a job may close every descriptor it finds, and a number
               that was ours may be its own file a moment later.
"""

import json
import mmap
import os
import struct
import time
from typing import Any

from .state import STATES

HEADER = struct.Struct("<8sIIQQQdQ")
"""magic, version, record size, records, boundaries, last end (ns), last loss, steady steps."""
RECORD = struct.Struct(f"<QHHIIHHHH{STATES}Q")
"""end ns, kind, who, flags, samples, forwards, backwards, batches, 0, ns by state."""
END = struct.Struct("<QHHI")
"""A record's first part. The rest of what is reserved is 0."""
pack: Any = RECORD.pack_into
pack_end: Any = END.pack_into
HEAD_SIZE, SIZE = HEADER.size, RECORD.size
MAGIC, VERSION = b"narrows\0", 1
CHUNK, SMALL = 1 << 20, 1 << 16
MOST_RECORDS = 400_000
"""56 MB. A job with more boundaries is counted on, and no longer written down one by one."""


class Spool:
    """Writes one process's files. Every method is safe to call at any time; none raises."""

    def __init__(self, folder: str) -> None:
        self.name = f"{os.getpid()}-{time.perf_counter_ns():x}"
        self.events_path = os.path.join(folder, self.name + ".jsonl")
        self.steps_path = os.path.join(folder, self.name + ".steps")
        self.records = 0
        self.boundaries = 0
        self.room = 0
        self.size = 0
        self.map: mmap.mmap | None = None
        self.broken = False

    def event(self, kind: str, **values: object) -> None:
        """Append one JSON line, whole or not at all (as far as the disk allows)."""
        try:
            line = json.dumps({"k": kind, "t": time.perf_counter_ns(), **values}, separators=(",", ":"), default=str)
            descriptor = os.open(self.events_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                os.write(descriptor, line.encode("utf-8", "backslashreplace") + b"\n")
            finally:
                os.close(descriptor)
        except Exception:
            self.broken = True

    def grow(self) -> bool:
        """Make room for another chunk of records, or at least for a small one. False if there is none."""
        return self._reserve(CHUNK) or self._reserve(SMALL)

    def _reserve(self, more: int) -> bool:
        try:
            size = self.size + more
            descriptor = os.open(self.steps_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(descriptor, 0, size)
                else:  # macOS: no reservation, so write the zeros
                    os.pwrite(descriptor, bytes(more), size - more)
                self.map = mmap.mmap(descriptor, size)
            finally:
                os.close(descriptor)
            self.size = size
            self.room = (size - HEADER.size) // RECORD.size
            return True
        except Exception:
            self.broken = True
            self.room = -1
            return False

    def boundary(
        self, now: int, kind: int, who: int, flags: int, samples: int, forwards: int, backwards: int, batches: int,
        ns: list[int], loss: float, steady: int,
    ) -> None:  # fmt: skip
        """Write the record of a boundary.

        The header follows at every 16th only: a record counts as soon as its end is not 0, and what is reserved
        is 0. In a step of half a millisecond this code is out of the caches each time it runs, and costs five times
        what it costs in a loop.
        """
        at = self.records
        if at >= self.room and (self.room < 0 or at >= MOST_RECORDS or not self.grow()):
            self.boundaries += 1
            if self.map is not None and not self.boundaries & 15:
                self.head(now, loss, steady)
            return
        pack(self.map, HEAD_SIZE + at * SIZE, now, kind, who, flags, samples, forwards, backwards, batches, 0, *ns)
        self.records = at + 1
        self.boundaries += 1
        if not at & 15:
            self.head(now, loss, steady)

    def light(self, now: int, kind: int, who: int, flags: int) -> None:
        """Write the record of a light step's end: a boundary of which nothing else is known."""
        at = self.records
        if at >= self.room and (self.room < 0 or at >= MOST_RECORDS or not self.grow()):
            self.boundaries += 1
            return
        pack_end(self.map, HEAD_SIZE + at * SIZE, now, kind, who, flags)
        self.records = at + 1
        self.boundaries += 1

    def recent(self, count: int) -> list[tuple[int, int]]:
        """(end, flags) of the last records."""
        if self.map is None:
            return []
        found = (
            END.unpack_from(self.map, HEAD_SIZE + at * SIZE) for at in range(max(0, self.records - count), self.records)
        )
        return [(end, flags) for end, _, _, flags in found]

    def head(self, now: int, loss: float, steady: int) -> None:
        """Bring the header up to date."""
        if self.map is not None:
            values = (MAGIC, VERSION, SIZE, self.records, self.boundaries, now, loss, steady)
            HEADER.pack_into(self.map, 0, *values)
