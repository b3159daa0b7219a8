"""The loader makes its batches in the process that trains, which waits for each one."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Batches are made in the training process",
        "num_workers=0: {ms:.2f} ms of each step makes the batch, while nothing else runs.",
        "Give the DataLoader workers (num_workers={workers}, persistent_workers=True), so that batches are made during the step.",
    ),
    "zh": (
        "批数据在训练进程里生成",
        "num_workers=0：每一步有 {ms:.2f} 毫秒在生成批数据，期间什么都不运行。",
        "给 DataLoader 设置工作进程（num_workers={workers}, persistent_workers=True），让批数据在计算时生成。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    spent = view.steady.seconds["next"]
    for loader in view.process.events.get("loader", ())[:1]:
        if loader["workers"] == 0 and view.share(spent) > 0.05:
            # With workers the batch is made during the rest of the step, on the cores that the step leaves free.
            rest = view.step - spent
            yield view.finding(
                "single-process-loader",
                TEXT,
                cause="input",
                seconds=min(spent, rest) if view.cores > 1 else 0.0,
                where=view.at(loader["where"]),
                remedies=["loader-workers"],
                basis="modelled",
                ms=1e3 * spent,
                workers=max(1, min(4, view.cores)),
            )
