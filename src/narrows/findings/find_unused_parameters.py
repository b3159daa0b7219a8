"""DistributedDataParallel looks for parameters that were not used, after each forward, and there never are any."""

from collections.abc import Iterator

from narrows.findings.exchange import latency, syncs
from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Unused parameters are looked for in vain",
        "find_unused_parameters=True goes through the whole graph after each forward ({ms:.2f} ms a step) and keeps buckets"
        " in their first order; in {looks} looks every parameter was used.",
        "Leave find_unused_parameters out.",
    ),
    "zh": (
        "徒劳地查找未使用的参数",
        "find_unused_parameters=True 在每次前向之后遍历整个图（每一步 {ms:.2f} 毫秒），并且分桶一直保持最初的顺序；"
        "查看 {looks} 次，每个参数都用到了。",
        "去掉 find_unused_parameters。",
    ),
}
LOOKS = 3
"""Backwards of which DistributedDataParallel told what was not used on this rank: fewer are no evidence."""


def find(view: View) -> Iterator[Finding]:
    """Each rank has its own flow through the model, so all of them are asked."""
    ranks = (view.process, *view.others)
    asked = [p for p in view.process.events.get("parallel", ()) if p["find_unused"] and not p["static_graph"]]
    looks = min(sum(look["unused_bytes"] is not None for look in p.events.get("reducer", ())) for p in ranks)
    unused = any(look["unused_bytes"] for p in ranks for look in p.events.get("reducer", ()))
    without = any(look["unused"] for p in ranks for look in p.events.get("gradients", ()))
    if not asked or looks < LOOKS or unused or without:
        return
    last = view.process.last("reducer")
    forwards = sum(s.forwards for s in view.steps.steps) / max(1, len(view.steps.steps))
    searching = forwards * last["searched_ns"] / max(1, last["searches"]) / 1e9
    exchanging = (latency(view) or 0.0) * max(1.0, syncs(view))  # of which parameters each rank used
    yield view.finding(
        "find-unused-parameters",
        TEXT,
        cause="overhead",
        seconds=min(searching + exchanging, view.seconds("overhead")),
        where=view.at(asked[0]["where"]),
        remedies=["ddp-find-unused-off"],
        ms=1e3 * searching,
        looks=looks,
    )
