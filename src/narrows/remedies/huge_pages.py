"""Large tensors lie in pages of 2 MiB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .candidate import Candidate
from .inside import fresh

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "huge-pages"
CLASS = "exact"
TEXT = {
    "en": ("Large tensors lie in pages of 2 MiB", "Nothing in the results. Each of them takes up to 2 MiB more."),
    "zh": ("大张量放在 2 MiB 的页里", "结果不变。每个大张量最多多占 2 MiB。"),
}
LARGE = 2 << 20
"""Bytes: torch asks for huge pages from here on."""
PART = 0.6
"""Of the cost of first touches, what goes: a huge page is found once, but still has to be cleared."""
SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def candidates(view: View) -> list[Candidate]:
    try:
        setting = SETTING.read_text()
    except OSError:
        return []
    if "[madvise]" not in setting:  # never, or always, when there is nothing to ask for
        return []
    saved = PART * fresh.seconds(view, LARGE)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def environment(value: bool) -> dict[str, str]:
    return {"THP_MEM_ALLOC_ENABLE": "1"}


def by_hand(value: bool) -> str:
    return "THP_MEM_ALLOC_ENABLE=1"
