"""More threads want to compute than there are cores."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.findings.wording import SETTING
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "More threads than cores",
        "{ranks} processes x {threads} threads on {cores} cores.",
        "Give the ops of each process {right}: {setting}.",
    ),
    "zh": (
        "线程多于核",
        "{cores} 个核上有 {ranks} 个进程 x {threads} 个线程。",
        "让每个进程的算子用 {right} 个线程：{setting}。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    """Ranks on other machines have other cores; each on this one has its own number of threads."""
    ranks = len(view.ranks_here)
    wanted = sum(p.threads or 1 for p in view.ranks_here)
    threads = max(p.threads or 1 for p in view.ranks_here)
    if wanted > view.cores:
        spent = view.seconds("compute") + view.seconds("bandwidth")
        yield view.finding(
            "oversubscription",
            TEXT,
            cause="compute",
            seconds=spent * (1 - view.cores / wanted) / 2,
            remedies=["threads"],
            basis="modelled",
            ranks=ranks,
            threads=threads,
            cores=view.cores,
            setting=SETTING["torch" if view.framework == "torch" else "tensorflow"],
            right=max(1, view.cores // ranks),
        )
