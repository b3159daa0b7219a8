"""One line makes many small collectives in each step: each costs a latency that a single one would pay once."""

from collections.abc import Iterator

from narrows.findings.exchange import SMALL_BYTES, places
from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "A loop of small collectives",
        "{calls:.0f} calls a step at this line ({names}), {small:.0f} of them of less than 64 KiB; one takes {each:.0f} us"
        " even when nobody is late.",
        "Put the values into one flat tensor and exchange that (torch._utils._flatten_dense_tensors), or coalesce the calls;"
        " let DistributedDataParallel do it for gradients.",
    ),
    "zh": (
        "循环里有很多小的集合通信",
        "这一行每一步调用 {calls:.0f} 次（{names}），其中 {small:.0f} 次不到 64 KiB；即使没有进程迟到，一次也要 {each:.0f} 微秒。",
        "把这些值放进一个平铺的张量里一次交换（torch._utils._flatten_dense_tensors），或合并这些调用；"
        "梯度可以交给 DistributedDataParallel。",
    ),
}
MANY = 8
"""Calls of a line in a step. A model of two layers has four tensors, and three metrics are no loop."""


def find(view: View) -> Iterator[Finding]:
    for place in places(view):
        small = sum(c.calls for c in place.collectives if c.bytes <= SMALL_BYTES)
        # Where some are large, only what even the quickest call costs is saved for each small one.
        saved = place.rest if small == place.calls else min(place.rest, (small - 1) * place.quick)
        if small >= MANY and view.share(saved) > SMALL:
            yield view.finding(
                "collective-in-loop",
                TEXT,
                cause="communication",
                seconds=saved,
                where=view.place(*place.where),
                calls=place.calls,
                names=", ".join(place.names),
                small=small,
                each=1e6 * place.quick,
            )
