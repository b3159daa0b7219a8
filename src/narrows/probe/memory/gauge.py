"""What the process itself takes, as the kernel and the allocator say."""

import ctypes
from typing import Any

from .. import crash


class Gauge:
    """On systems without these files every answer is 0."""

    def __init__(self) -> None:
        self.heap = _mallinfo()

    def reset(self) -> None:
        """The peak counts from here on."""
        try:
            with open("/proc/self/clear_refs", "wb") as file:
                file.write(b"5")
        except OSError:
            pass

    def process(self) -> dict[str, int]:
        """Bytes: resident now, the most since the last `reset`, pages of files among them (the kernel can take them back),
        and the most addresses ever."""
        mine = crash.process()
        named = {"resident": "rss", "resident_peak": "peak_rss", "files": "files", "address_space": "peak_size"}
        return {name: mine[key] or 0 for name, key in named.items()}

    def free(self) -> int:
        """Bytes that the C library holds and nobody uses: fragments. 0 if it does not say."""
        return int(self.heap().fordblks) if self.heap is not None else 0


def device(torch: Any) -> dict[str, int]:
    """What the device's caching allocator says of the step that is over, in bytes; its peaks count anew from here. Empty
    without a device in use."""
    cuda = torch.cuda
    if not cuda.is_initialized():
        return {}
    free, total = cuda.mem_get_info()
    found = {
        "allocated_peak": cuda.max_memory_allocated(), "reserved_peak": cuda.max_memory_reserved(),
        "reserved": cuda.memory_reserved(), "used": total - free, "total": total,
    }  # fmt: skip
    cuda.reset_peak_memory_stats()
    return found


class _Info(ctypes.Structure):
    """glibc's `struct mallinfo2`: all arenas of the process."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
                     "keepcost")
    ]  # fmt: skip


def _mallinfo() -> Any:
    try:
        call = ctypes.CDLL(None).mallinfo2
        call.restype = _Info
        call()
        return call
    except (OSError, AttributeError):
        return None
