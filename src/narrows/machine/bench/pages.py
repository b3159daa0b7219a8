"""What it costs to get a page of memory from the kernel, and to give it back."""

import ctypes
import mmap
import time

BYTES = 4 << 20
"""Of a mapping: what a large tensor is to malloc, which maps it and unmaps it by itself."""
TIMES = 16


def costs() -> tuple[float, float]:
    """Seconds for a page: of its first touch, beyond what writing it takes, and of giving it back."""
    touched, given_back = float("inf"), float("inf")
    for _ in range(TIMES):
        made = mmap.mmap(-1, BYTES)
        view = (ctypes.c_char * BYTES).from_buffer(made)
        first = _write(view)
        again = min(_write(view) for _ in range(3))
        del view
        start = time.perf_counter()
        made.close()
        given_back = min(given_back, time.perf_counter() - start)
        touched = min(touched, first - again)
    pages = BYTES / mmap.PAGESIZE
    return max(0.0, touched / pages), given_back / pages


def _write(view: "ctypes.Array[ctypes.c_char]") -> float:
    start = time.perf_counter()
    ctypes.memset(view, 1, BYTES)
    return time.perf_counter() - start
