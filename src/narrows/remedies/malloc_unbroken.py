"""Blocks of memory from 1 MiB on go back to the kernel when they are freed, instead of leaving holes in a heap."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from .candidate import Candidate

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "malloc-unbroken"
CLASS = "memory"
ROOM = (True,)
TEXT = {
    "en": (
        "Large blocks of memory are given back at once",
        "Nothing in the results. Every such block is new to the process: the kernel clears its pages, which takes time.",
    ),
    "zh": ("大块内存一释放就归还内核", "结果不变。每个大块对进程都是新的：内核要清零其页，需要时间。"),
}
FROM = 1 << 20
"""Bytes. Left alone, glibc raises this up to 32 MiB as blocks are freed, and keeps what is below in a heap of pieces."""


def candidates(view: View) -> list[Candidate]:
    memory = view.process.last("memory")
    if platform.libc_ver()[0] != "glibc" or not memory.get("rss_peak") or memory.get("device_peak"):
        return []
    # What it is worth, only memory says.
    return [Candidate(value=True, seconds=0.0)]


def environment(value: bool) -> dict[str, str]:
    return {"MALLOC_MMAP_THRESHOLD_": str(FROM)}


def by_hand(value: bool) -> str:
    return f"MALLOC_MMAP_THRESHOLD_={FROM}"
