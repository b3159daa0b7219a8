"""The loss became NaN or infinite."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The loss is not finite",
        "The loss became {value} at update {update}.",
        "Look at that batch; lower the learning rate; guard logarithms and divisions. Steps after it teach nothing.",
    ),
    "zh": (
        "损失不是有限数",
        "第 {update} 次更新时损失变为 {value}。",
        "检查那一批数据；降低学习率；保护对数和除法。此后的步都没有意义。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    seen = view.process.first("not_finite")
    if seen:
        yield view.finding(
            "loss-not-finite",
            TEXT,
            cause=None,
            seconds=0.0,
            where=view.at(seen["where"]),
            value=seen["value"],
            update=seen["update"],
        )
