"""A callback of `fit` takes a good part of the step."""

from collections.abc import Iterator

from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "A callback holds up the training",
        "{name}.{method} takes {ms:.2f} ms of each step ({each:.1f} ms a call).",
        "Do it less often, after fit, or in a thread of its own; per epoch (on_epoch_end) instead of per batch.",
    ),
    "zh": (
        "回调拖慢了训练",
        "{name}.{method} 每一步占 {ms:.2f} 毫秒（每次调用 {each:.1f} 毫秒）。",
        "降低频率，放到 fit 之后或单独的线程里；用每轮（on_epoch_end）代替每批。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    spent = view.steady.seconds["callback"]
    seen = view.process.last("callbacks").get("seen", ())
    total = sum(ns for _, _, ns, _, _ in seen)
    for name, method, ns, calls, where in sorted(seen, key=lambda row: -row[2])[:3]:
        part = spent * ns / total if total else 0.0
        if view.share(part) > SMALL:
            yield view.finding(
                "blocking-callback",
                TEXT,
                cause="host",
                seconds=part,
                where=view.at(where),
                name=name,
                method=method,
                ms=1e3 * part,
                each=ns / calls / 1e6,
            )
