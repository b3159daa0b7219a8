"""The four gauges that people ask about, as sums over the ledger."""

from narrows.report.format import seconds, share, size
from narrows.report.language import Words
from narrows.report.model import Report, Step

GAUGES = {
    "compute": ("compute", "overhead"),
    "memory": ("bandwidth",),
    "data": ("input", "transfer", "communication"),
}


def gauges(report: Report, say: Words) -> list[tuple[str, str]]:
    """(name, value) for compute, memory, time and data transfer. Without a ledger, what is known of them."""
    assert report.step is not None
    found = []
    for name in ("compute", "memory", "time", "data"):
        told = _time(report.step, say) if name == "time" else []
        if report.ledger is not None and name in GAUGES:
            told.append(share(sum(row.share for row in report.ledger if row.cause in GAUGES[name])))
        if name == "memory" and report.memory is not None and report.memory.peak_bytes:
            peak, available = size(report.memory.peak_bytes), size(report.memory.available_bytes)
            told.append(say("memory.peak", peak=peak, available=available))
        if told:
            found.append((say(f"gauge.{name}"), say("list").join(told)))
    return found


def _time(step: Step, say: Words) -> list[str]:
    told = [say("per step", seconds=seconds(step.median_seconds))]
    if step.samples_per_second:
        told.append(say("throughput", rate=f"{step.samples_per_second:,.0f}"))
    if step.latency is not None:
        late = step.latency
        told.append(f"p50 {seconds(late.p50)}")
        told += [f"p95 {seconds(late.p95)}", f"p99 {seconds(late.p99)}"]
    return told
