"""Cores stand idle while the step computes."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.findings.wording import SETTING
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Fewer threads than cores",
        "{ranks} processes x {threads} threads on {cores} cores.",
        "Give its ops {right}: {setting}.",
    ),
    "zh": (
        "线程少于核",
        "{cores} 个核上只有 {ranks} 个进程 x {threads} 个线程。",
        "让算子用 {right} 个线程：{setting}。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    if view.process.cuda:
        return
    threads = max(p.threads or 1 for p in view.ranks_here)
    ranks = len(view.ranks_here)
    spent = view.seconds("compute") + view.seconds("bandwidth")
    if threads * ranks < view.cores and view.share(spent) > 0.2 and not view.workers:
        yield view.finding(
            "too-few-threads",
            TEXT,
            cause="compute",
            seconds=spent * (1 - threads * ranks / view.cores),
            remedies=["threads"],
            basis="modelled",
            ranks=ranks,
            threads=threads,
            cores=view.cores,
            setting=SETTING["torch" if view.framework == "torch" else "tensorflow"],
            right=view.cores // ranks,
        )
