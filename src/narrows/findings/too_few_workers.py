"""The workers make fewer batches than the step uses, and there are cores left."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Too few loader workers",
        "{workers} workers on {cores} cores: each step still waits {ms:.2f} ms for its batch.",
        "Raise num_workers to {more}.",
    ),
    "zh": (
        "加载工作进程太少",
        "{cores} 个核上只有 {workers} 个工作进程：每一步仍要等 {ms:.2f} 毫秒。",
        "把 num_workers 提高到 {more}。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    spent = view.steady.seconds["next"]
    for loader in view.process.events.get("loader", ())[:1]:
        workers = loader["workers"]
        if 0 < workers < view.cores and view.share(spent) > 0.1:
            yield view.finding(
                "too-few-workers",
                TEXT,
                cause="input",
                seconds=spent * (1 - workers / view.cores),
                where=view.at(loader["where"]),
                remedies=["loader-workers"],
                basis="modelled",
                workers=workers,
                cores=view.cores,
                ms=1e3 * spent,
                more=view.cores,
            )
