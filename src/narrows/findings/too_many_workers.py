"""More workers than cores: they take turns, and take the cores from the step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "More loader workers than cores",
        "{workers} workers share {cores} cores with the step itself.",
        "Lower num_workers to at most {cores}; more of them only adds switching and memory.",
    ),
    "zh": (
        "加载工作进程多于核数",
        "{workers} 个工作进程与计算共用 {cores} 个核。",
        "把 num_workers 降到不超过 {cores}；更多只会增加切换和内存。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    for loader in view.process.events.get("loader", ())[:1]:
        if loader["workers"] > view.cores:
            yield view.finding(
                "too-many-workers",
                TEXT,
                cause="input",
                seconds=view.steady.seconds["next"] * (1 - view.cores / loader["workers"]),
                where=view.at(loader["where"]),
                remedies=["loader-workers"],
                basis="modelled",
                workers=loader["workers"],
                cores=view.cores,
            )
