"""More threads want to compute than there are cores."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "More threads than cores",
        "{ranks} processes x {threads} threads on {cores} cores.",
        "Set OMP_NUM_THREADS={right} (torch.set_num_threads) for each process.",
    ),
    "zh": (
        "线程多于核",
        "{cores} 个核上有 {ranks} 个进程 x {threads} 个线程。",
        "给每个进程设置 OMP_NUM_THREADS={right}（torch.set_num_threads）。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    threads = view.process.last("torch").get("threads") or 1
    ranks = 1 + len(view.others)
    if threads * ranks > view.cores:
        spent = view.seconds("compute") + view.seconds("bandwidth")
        yield view.finding(
            "oversubscription",
            TEXT,
            cause="compute",
            seconds=spent * (1 - view.cores / (threads * ranks)) / 2,
            remedies=["threads"],
            basis="modelled",
            ranks=ranks,
            threads=threads,
            cores=view.cores,
            right=max(1, view.cores // ranks),
        )
