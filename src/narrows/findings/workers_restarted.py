"""Worker processes are started again at the beginning of each epoch."""

from collections.abc import Iterator

from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Workers start again every epoch",
        "Starting {workers} workers takes {each:.2f} s, {times} times so far.",
        "Set persistent_workers=True on the DataLoader.",
    ),
    "zh": (
        "每个 epoch 都重新启动工作进程",
        "启动 {workers} 个工作进程要 {each:.2f} 秒，目前已有 {times} 次。",
        "给 DataLoader 设置 persistent_workers=True。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    loader = view.process.first("loader")
    if not loader or not loader["workers"] or loader["persistent"]:
        return
    steps = view.steps.timed(1)
    # The first batch of an epoch waits for the workers that have just been started.
    starts = [s.state("iter") + s.state("next") for s in steps if s.state("iter")]
    if not starts:
        return
    spent = sum(starts) / len(steps) / 1e9
    if view.share(spent) > SMALL:
        yield view.finding(
            "workers-restarted",
            TEXT,
            cause="input",
            seconds=spent,
            where=view.at(loader["where"]),
            remedies=["persistent-workers"],
            workers=loader["workers"],
            each=sum(starts) / len(starts) / 1e9,
            times=len(starts),
        )
