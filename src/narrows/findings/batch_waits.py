"""Whoever makes the batches is itself waiting, not computing: for a disk, a network, a lock."""

from collections.abc import Iterator, Mapping
from typing import Any

from narrows.findings.view import Text, View
from narrows.report.model import Finding
from narrows.spool.record import Process

TEXT: Text = {
    "en": (
        "Making batches waits for something else",
        "{part:.0%} of the time in which batches are made uses no processor: it waits for a disk, a network or a lock.",
        "Read fewer, larger files; prefetch more (more workers cost no cores here); or keep the data in memory.",
    ),
    "zh": (
        "生成批数据时在等待",
        "生成批数据的时间有 {part:.0%} 没有占用处理器：在等待磁盘、网络或锁。",
        "读更少、更大的文件；多预取（此处更多工作进程不占核）；或把数据放进内存。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    spent = view.steady.seconds["next"]
    makers = [(p, p.last("fetches")) for p in (view.process, *view.workers) if p.last("fetches")]
    whole = sum(m["fetch_ns"] for _, m in makers)
    idle = sum(max(0.0, m["fetch_ns"] - m["cpu_ns"] - _for_a_core(view, p, m)) for p, m in makers)
    # Workers that share too few cores wait for those, which is no waiting for data.
    if view.workers and len(view.workers) >= view.cores:
        return
    if whole and view.share(spent) > 0.05 and idle / whole > 0.5:
        yield view.finding(
            "batch-waits",
            TEXT,
            cause="input",
            seconds=spent * idle / whole,
            where=view.at(view.process.first("loader").get("sample") or view.process.first("loader").get("where")),
            remedies=["loader-workers", "cache-dataset"],
            part=idle / whole,
        )


def _for_a_core(view: View, process: Process, made: Mapping[str, Any]) -> float:
    """Nanoseconds of the making in which it waited for its turn on a core. A worker does little else; the loop's own
    process is held back in the rest of the step as well."""
    waited = view.held_back.get(process.pid, 0.0) * 1e9
    if process is view.process:
        waited *= made["fetch_ns"] / max(1, made["until"] - made["since"])
    return min(waited, float(made["fetch_ns"]))
