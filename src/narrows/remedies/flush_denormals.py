"""Numbers too small for the processor's fast path count as zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "flush-denormals"
CLASS = "exact"
TEXT = {
    "en": (
        "Denormal numbers count as zero",
        "Numbers nearer to zero than 1.2e-38 (2.2e-308 in double precision) become zero.",
    ),
    "zh": ("非规格化数当作零", "绝对值小于 1.2e-38（双精度 2.2e-308）的数变成零。"),
}
ONCE = r"set_flush_denormal"


def candidates(view: View) -> list[Candidate]:
    seen = view.process.last("values").get("denormal") or [0, 0]
    if seen[0] <= 0.01 * seen[1]:
        return []
    products = [k for k in view.kernels if k.cost.kind in ("matmul", "convolution")]
    saved = sum(k.seconds for k in products) - 2 * sum(k.limit for k in products)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    # It is a setting of each thread, and one that starts later takes it over from the thread that starts it. OpenMP's
    # start with the first large op, so after this; a backward on a CPU runs in the thread that asks for it.
    if torch.set_flush_denormal(True):
        within.note(NAME)
    else:
        within.fault(NAME, RuntimeError("this processor cannot"))


def by_hand(value: bool) -> str:
    return "torch.set_flush_denormal(True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.setting import setting

    return setting(source, "torch", by_hand(value), ONCE)
