"""More threads want to compute than there are cores."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.findings.wording import SETTING
from narrows.ledger import links
from narrows.ledger.collectives import collectives
from narrows.report.model import Cause, Finding

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


MEASURED = 0.5
"""Share of the time in ops from which what they take apart says what is saved."""


def find(view: View) -> Iterator[Finding]:
    """Ranks on other machines have other cores; each on this one has its own number of threads."""
    ranks = len(view.ranks_here)
    wanted = sum(p.threads or 1 for p in view.ranks_here)
    threads = max(p.threads or 1 for p in view.ranks_here)
    if wanted > view.cores:
        saved = measured(view)
        if saved is None:
            spent = view.seconds("compute") + view.seconds("bandwidth")
            saved = {"compute": spent * (1 - view.cores / wanted) / 2}
        most: Cause = max(saved, key=saved.__getitem__)
        yield view.finding(
            "oversubscription",
            TEXT,
            cause=most,
            seconds=sum(saved.values()),
            remedies=["threads"],
            basis="modelled",
            ranks=ranks,
            threads=threads,
            cores=view.cores,
            setting=SETTING["torch" if view.framework == "torch" else "tensorflow"],
            right=max(1, view.cores // ranks),
        )


def measured(view: View) -> dict[Cause, float] | None:
    """By row, seconds of a step by which its ops took longer than they do with no more threads than cores, and its exchanges
    longer than the links need; None if too few of the ops could be called again."""
    found: dict[Cause, float] = {"compute": 0.0, "bandwidth": 0.0, "overhead": 0.0}
    took = 0.0
    for kernel in view.kernels:
        alone = view.apart(kernel.op)
        if alone is not None:
            took += kernel.seconds + kernel.fixed
            cause: Cause = kernel.bound if kernel.seconds > kernel.fixed else "overhead"
            found[cause] += kernel.seconds + kernel.fixed - kernel.calls * alone
    if took <= MEASURED * sum(kernel.seconds + kernel.fixed for kernel in view.kernels):
        return None
    found["communication"] = _exchanging(view)
    # What single deep steps took is not more than what steps take: an op that waited for a core in one of them weighs too much.
    return {cause: min(seconds, view.seconds(cause)) for cause, seconds in found.items()}


def _exchanging(view: View) -> float:
    """The threads that carry what ranks exchange want cores, too: two ranks with two threads each waited four times as long
    for the same gradients as with one each (gloo, 10 and 2.6 ms)."""
    least = links.total(collectives(view.process, view.steps.per_step), view.ceilings.collective)
    return max(0.0, view.together.exchange - least) if view.together is not None and least is not None else 0.0
