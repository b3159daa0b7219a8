"""The four gauges that people ask about, as sums over the ledger."""

from narrows.report.format import seconds, share, size
from narrows.report.language import Words
from narrows.report.model import Report

GAUGES = {
    "compute": ("compute", "overhead"),
    "memory": ("bandwidth",),
    "data": ("input", "transfer", "communication"),
}


def gauges(report: Report, say: Words) -> list[tuple[str, str]]:
    """(name, value) for compute, memory, time and data transfer."""
    assert report.ledger is not None
    assert report.step is not None
    shares: dict[str, float] = {row.cause: row.share for row in report.ledger}
    found = []
    for name in ("compute", "memory", "time", "data"):
        if name == "time":
            text = f"{seconds(report.step.median_seconds)} / {say('step')}"
            if report.step.samples_per_second:
                text += ", " + say("throughput", rate=f"{report.step.samples_per_second:,.0f}")
            if report.step.latency is not None:
                late = report.step.latency
                text += f", p50 {seconds(late.p50)}, p95 {seconds(late.p95)}, p99 {seconds(late.p99)}"
        else:
            text = share(sum(shares[cause] for cause in GAUGES[name]))
        if name == "memory" and report.memory is not None:
            text += f", {say('peak')} {size(report.memory.peak_bytes)} / {size(report.memory.available_bytes)}"
        found.append((say(f"gauge.{name}"), text))
    return found
