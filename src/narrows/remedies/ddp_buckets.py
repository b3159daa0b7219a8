"""Gradients are exchanged in buckets of another size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "ddp-buckets"
CLASS = "exact"
RANKS = True
TEXT = {
    "en": (
        "Gradients are exchanged in buckets of another size",
        "Rounding, where the sum over more than two ranks is split into other parts.",
    ),
    "zh": ("以另一种大小的桶交换梯度", "多于两个进程时，求和的切分方式不同带来的舍入。"),
}
SIZES = (1, 5, 25, 100)
"""MiB. 25 is torch's default."""
LATENCY = 2e-4
"""Seconds that a collective takes whatever its size, over gloo on one machine (measured: 0.14 to 0.22 ms)."""


def candidates(view: View) -> list[Candidate]:
    """What is exposed, as modelled: the last bucket, which nothing is left to hide, and a latency for each."""
    from narrows.findings.exchange import SLOWEST

    parallel, spent = estimates.parallel(view), estimates.exchange(view)
    if not parallel or view.share(spent) < estimates.WORTH:
        return []
    total, now = int(parallel["bytes"]), int(parallel["bucket_bytes"])
    times = max(1.0, estimates.exchanged(view) / total)
    per_byte = min(spent / min(total, now), SLOWEST)

    def exposed(size: int) -> float:
        return per_byte * min(total, size) + times * _count(total, size) * LATENCY

    other = [mib for mib in SIZES if _count(total, mib << 20) != _count(total, now)]
    found = [Candidate(value=mib, seconds=spent * (1 - exposed(mib << 20) / exposed(now))) for mib in other]
    return [each for each in found if view.share(each.seconds) >= estimates.WORTH]


def _count(total: int, size: int) -> int:
    """Buckets."""
    return math.ceil(total / size)


def apply(torch: Any, value: int) -> None:
    def change(model: Any, given: dict[str, Any]) -> None:
        if given.get("bucket_cap_mb_list") is None:
            given["bucket_cap_mb"] = value
            within.note(NAME, bucket_cap_mb=value)

    exchange.arguments(torch, NAME, change)


def by_hand(value: int) -> str:
    return f"model = DistributedDataParallel(model, bucket_cap_mb={value})"


def edit(source: str, value: int) -> str | None:
    from narrows.edits.parallel import parallel

    return parallel(source, "bucket_cap_mb", str(value))
