"""Memory that a step gives back stays with the process for the next step."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from .candidate import Candidate
from .inside import fresh

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "malloc"
CLASS = "exact"
TEXT = {
    "en": (
        "Freed memory stays with the process and is used again",
        "Nothing in the results. The process stays as large as it once was, and may grow further by what lies between.",
    ),
    "zh": ("释放的内存留在进程里重复使用", "结果不变。进程会保持曾经达到的大小，并可能因碎片而更大。"),
}
LARGE = 1 << 20
"""Bytes: what malloc maps by itself, or leaves at the top of the heap, which it cuts off when enough is free."""
PART = 0.5
"""Of the cost, what this removes: some of that memory was used again before."""
NEVER = str(1 << 40)


def candidates(view: View) -> list[Candidate]:
    if platform.libc_ver()[0] != "glibc":
        return []
    saved = PART * fresh.seconds(view, LARGE)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def environment(value: bool) -> dict[str, str]:
    return {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": NEVER, "MALLOC_TOP_PAD_": str(64 << 20)}


def by_hand(value: bool) -> str:
    return " ".join(f"{name}={text}" for name, text in environment(value).items())
