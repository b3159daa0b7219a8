"""A line of the loop that neither makes the batch nor trains takes a good part of the step."""

from collections.abc import Iterator

from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The loop spends time on its own Python",
        "`{source}` takes {ms:.2f} ms of each step.",
        "Do it less often (every 50 steps, say), after the loop, or in another thread or process.",
    ),
    "zh": (
        "循环里自己的 Python 代码很耗时",
        "`{source}` 每一步占 {ms:.2f} 毫秒。",
        "降低频率（例如每 50 步一次），放到循环之后，或放到别的线程或进程里。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    by_line: dict[tuple[str, int], float] = {}
    for entry in view.entries:
        if entry.state == "callback":  # a finding of its own says more of it
            continue
        if entry.cause == "host" and entry.where is not None and entry.where[0]:
            by_line[entry.where] = by_line.get(entry.where, 0.0) + entry.seconds
    for where, spent in sorted(by_line.items(), key=lambda item: -item[1])[:3]:
        if view.share(spent) > SMALL:
            yield view.finding(
                "host-line",
                TEXT,
                cause="host",
                seconds=spent,
                where=view.place(*where),
                remedies=[],
                source=view.source(where),
                ms=1e3 * spent,
            )
