"""An epoch has so few steps that starting it costs more than its steps."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Epochs are short",
        "An epoch has {batches} steps; starting its iterator and Keras' own Python take {ms:.2f} ms of each step.",
        "Let an epoch have more steps (a dataset with .repeat(), or steps_per_epoch), and fewer epochs; verbose=0 saves the"
        " progress bar.",
    ),
    "zh": (
        "每轮太短",
        "一轮只有 {batches} 步；启动迭代器和 Keras 自己的 Python 每一步占 {ms:.2f} 毫秒。",
        "让一轮有更多步（数据集加 .repeat()，或 steps_per_epoch），减少轮数；verbose=0 省去进度条。",
    ),
}
SHORT = 8


def find(view: View) -> Iterator[Finding]:
    told = view.process.first("data")
    batches = told.get("batches")
    spent = view.steady.seconds["iter"] + view.steady.seconds["trainer"]
    if batches and batches <= SHORT and view.steps.type == "training" and view.share(spent) > 0.2:
        yield view.finding(
            "short-epochs",
            TEXT,
            cause="overhead",
            seconds=spent * (1 - batches / SHORT),
            where=view.at(told["where"]),
            remedies=["keras-one-iterator"],
            basis="modelled",
            batches=batches,
            ms=1e3 * spent,
        )
