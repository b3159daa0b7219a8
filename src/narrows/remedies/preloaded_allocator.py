"""Another malloc, if this machine has one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .candidate import Candidate
from .inside import fresh

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "preloaded-allocator"
CLASS = "exact"
TEXT = {
    "en": (
        "The job runs with another memory allocator",
        "Nothing in the results. Freed memory stays with the process, and that may be more of it.",
    ),
    "zh": ("作业使用另一个内存分配器", "结果不变。释放的内存留在进程里，占用可能更多。"),
}
LIBRARIES = ("libjemalloc.so*", "libtcmalloc.so*", "libtcmalloc_minimal.so*", "libmimalloc.so*")
FOLDERS = tuple(
    Path(folder)
    for folder in (
        f"{sys.prefix}/lib", "/usr/local/lib", "/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu", "/opt/conda/lib",
    )
)  # fmt: skip
LARGE = 1 << 20
PART = 0.5
KEEP = "background_thread:true,metadata_thp:auto,dirty_decay_ms:9000000000,muzzy_decay_ms:9000000000"
"""jemalloc's settings from PyTorch's tuning guide: it gives nothing back."""


def candidates(view: View) -> list[Candidate]:
    if sys.platform != "linux":
        return []
    saved = PART * fresh.seconds(view, LARGE)
    if view.share(saved) < 0.02:
        return []
    return [Candidate(value=str(library), seconds=saved) for library in installed()]


def installed() -> list[Path]:
    """One file of each allocator."""
    found = []
    for name in LIBRARIES:
        files = (file for folder in FOLDERS for file in sorted(folder.glob(name)) if file.is_file())
        first = next(files, None)
        if first is not None:
            found.append(first)
    return found


def environment(value: str) -> dict[str, str]:
    others = os.environ.get("LD_PRELOAD", "")
    made = {"LD_PRELOAD": f"{value}:{others}" if others else value}
    if "jemalloc" in value:
        made["MALLOC_CONF"] = KEEP
    return made


def by_hand(value: str) -> str:
    return f"LD_PRELOAD={value}"
