"""A checkpoint is written inside the loop."""

from collections.abc import Iterator

from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Checkpoints are written in the loop",
        "torch.save takes {ms:.2f} ms of each step on average.",
        "Save less often (by time, say every ten minutes), or in a background thread from a copy.",
    ),
    "zh": (
        "在循环里写检查点",
        "torch.save 平均每一步占 {ms:.2f} 毫秒。",
        "降低保存频率（例如每十分钟一次），或复制一份后在后台线程里写。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    late = view.steps.timed(view.steady.first)
    spent = sum(s.state("save") for s in late) / len(late) / 1e9 if late else 0.0
    if view.share(spent) > SMALL:
        yield view.finding(
            "checkpoint-in-loop",
            TEXT,
            cause="host",
            seconds=spent,
            where=view.at(view.process.first("save").get("where")),
            remedies=["async-checkpoint"],
            ms=1e3 * spent,
        )
