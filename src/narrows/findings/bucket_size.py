"""Gradients are exchanged in so many parts that their latencies add up, or in one that is ready only at the end."""

import math
from collections.abc import Iterator

from narrows.findings.exchange import SLOWEST, gradient_bytes, gradients, latency, synced, syncs, total
from narrows.findings.view import SMALL, Text, View
from narrows.ledger.collectives import Collective
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Gradient buckets are too small",
        "{calls:.0f} all-reduces of {mib:.2f} MiB a step; {default:.0f} buckets would hold these gradients.",
        "Leave bucket_cap_mb at its default (25), or raise it.",
    ),
    "zh": (
        "梯度分桶太小",
        "每一步有 {calls:.0f} 次 all-reduce，平均 {mib:.2f} MiB；这些梯度只需要 {default:.0f} 个桶。",
        "让 bucket_cap_mb 保持默认值（25），或调大。",
    ),
}
LARGE: Text = {
    "en": (
        "One gradient bucket: nothing overlaps",
        "{part:.0%} of the gradients are exchanged in one all-reduce of {mib:.0f} MiB, which begins when the backward is"
        " nearly over; {ms:.2f} ms of each step wait for it.",
        "Set bucket_cap_mb so that there are several buckets (here: {right}), so that the first leave while the rest is computed.",
    ),
    "zh": (
        "只有一个梯度桶：通信无法重叠",
        "{part:.0%} 的梯度在一次 {mib:.0f} MiB 的 all-reduce 中交换，反向快结束时才开始；每一步为它等待 {ms:.2f} 毫秒。",
        "把 bucket_cap_mb 设小，让梯度分成多个桶（这里用 {right}），前面的桶可以在反向计算时先发出。",
    ),
}
MIB = 1 << 20
FIRST, DEFAULT = MIB, 25 * MIB
"""Bytes of the first and of the other buckets unless the script says otherwise (`torch.nn.parallel.DistributedDataParallel`)."""
WHOLE = 0.8
"""Of all gradients, in one bucket."""
MOST = 8
"""Buckets to divide one into. With more, the last one, which nothing hides, is hardly any smaller."""


def find(view: View) -> Iterator[Finding]:
    found, times = gradients(view), syncs(view)
    if not times:
        return
    where = view.at(view.process.first("parallel").get("where"))
    whole, calls = gradient_bytes(view), sum(c.calls for c in found)
    default = times * (1 + math.ceil(max(0, whole - FIRST) / DEFAULT))
    saved = _latencies(view, found) * (1 - default / calls)
    if calls > 2 * default and total(found) < FIRST * calls and view.share(saved) > SMALL:
        yield view.finding(
            "bucket-size", TEXT, cause="communication", seconds=saved, where=where, remedies=["ddp-buckets"],
            basis="modelled", calls=calls, mib=total(found) / calls / MIB, default=default,
        )  # fmt: skip
        return
    largest = max(c.bytes for c in found)
    parts = min(MOST, largest // FIRST)
    s = view.steady.seconds
    saved = min(s["wait"], s["backward"]) * (1 - 1 / max(1, parts))
    divisible = largest > WHOLE * whole and 2 * _largest_tensor(view) < largest
    if parts > 2 and divisible and _may_overlap(view) and view.share(saved) > SMALL:
        yield view.finding(
            "bucket-size", LARGE, cause="communication", seconds=saved, where=where, remedies=["ddp-buckets"],
            basis="modelled", part=largest / whole, mib=largest / MIB, ms=1e3 * s["wait"],
            right=max(1, largest // parts // MIB),
        )  # fmt: skip


def _latencies(view: View, found: list[Collective]) -> float:
    """Seconds of a step's gradient sync that come with each all-reduce, whatever its size: where their latency was not
    measured, what even a slow link does not need for their bytes."""
    spent, known = synced(view), latency(view)
    if known is not None:
        return min(spent, known * sum(c.calls for c in found))
    return max(0.0, spent - total(found) * SLOWEST)


def _largest_tensor(view: View) -> int:
    """Bytes of the largest gradient in float32: a bucket is made of whole ones."""
    return max(
        (4 * layer[3] for look in view.process.events.get("gradients", ()) for layer in look["layers"]), default=0
    )


def _may_overlap(view: View) -> bool:
    """A device exchanges beside its arithmetic. Threads of a CPU need cores for that, which nobody else wants."""
    if view.process.first("parallel").get("device", "cpu") != "cpu":
        return True
    return view.cores > sum(p.threads or 1 for p in view.ranks_here)
