"""What surrounds the arithmetic: the cost of calling an op, copies to and from a device, reading from disk."""

import os
import tempfile
import time

import torch

from .contest import fastest

DISK_BYTES = 64 << 20
PIECE = 4 << 20
WRITE_SECONDS = 1.0
"""A disk that is slow to write gets a smaller file."""
IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")


def dispatch_seconds() -> float:
    """Seconds of one op on one element, called from Python, out of autograd."""
    one = torch.zeros(1)
    with torch.no_grad():

        def hundred() -> None:
            for _ in range(100):
                one.add_(1)

        began = time.perf_counter()
        best = float("inf")
        hundred()
        while time.perf_counter() - began < 0.1:
            start = time.perf_counter()
            hundred()
            best = min(best, time.perf_counter() - start)
        return best / 100


def host_device_copies() -> tuple[dict[str, float], dict[str, float]]:
    """Bytes per second from host to device and back, for pinned and for pageable memory on the host."""
    size = 1 << 28
    on_device = torch.empty(size, dtype=torch.uint8, device="cuda")
    there, back = {}, {}
    for name, pinned in (("pageable", False), ("pinned", True)):
        on_host = torch.ones(size, dtype=torch.uint8, pin_memory=pinned)
        there[name] = size / fastest(lambda: on_device.copy_(on_host, non_blocking=True), 0.2)  # noqa: B023
        back[name] = size / fastest(lambda: on_host.copy_(on_device, non_blocking=True), 0.2)  # noqa: B023
    return there, back


def disk_read() -> float | None:
    """Bytes per second of reading a file in order that is not in the page cache.

    None where that cannot be arranged: no `posix_fadvise` (macOS), no place for a temporary file that is on a disk.
    """
    if not hasattr(os, "posix_fadvise"):
        return None
    for folder in dict.fromkeys((tempfile.gettempdir(), "/var/tmp", os.path.expanduser("~"))):
        if file_system(folder) in IN_MEMORY or not os.access(folder, os.W_OK):
            continue
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix="narrows-") as file:
                return _read_back(file.fileno())
        except OSError:
            continue
    return None


def _read_back(file: int) -> float:
    began, written = time.perf_counter(), 0
    while written < DISK_BYTES and time.perf_counter() - began < WRITE_SECONDS:
        written += os.write(file, os.urandom(PIECE))
        os.fsync(file)  # what is not on the disk yet cannot be dropped
    best = 0.0
    for _ in range(2):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.lseek(file, 0, os.SEEK_SET)
        start, size = time.perf_counter(), 0
        while piece := len(os.read(file, PIECE)):
            size += piece
        best = max(best, size / (time.perf_counter() - start))
    return best


def file_system(folder: str, mounts: str = "/proc/self/mounts") -> str:
    """The type of the file system that a folder is on, `?` if that is not known."""
    folder = os.path.realpath(folder)
    best, kind = "", "?"
    try:
        with open(mounts) as lines:
            for line in lines:
                _, point, found, *_ = line.split()
                inside = folder == point or folder.startswith(point.rstrip("/") + "/")
                if inside and len(point) >= len(best):
                    best, kind = point, found
    except (OSError, ValueError):
        pass
    return kind
