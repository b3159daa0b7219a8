"""The other ranks wait for this one."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Ranks wait for the slowest one",
        "The other ranks wait up to {ms:.2f} ms of each step for rank {rank}.",
        "Look at what this rank does more of: its data, its machine, work done on rank 0 only.",
    ),
    "zh": (
        "其他进程在等最慢的一个",
        "其他进程每一步最多等待进程 {rank} {ms:.2f} 毫秒。",
        "看看这个进程多做了什么：数据、机器，或只在 0 号进程上做的工作。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    from narrows.ledger.steady import steady
    from narrows.ledger.steps import steps

    mine = view.steady.seconds["wait"] + view.steady.seconds["communication"]
    longest = 0.0
    for other in view.others:
        typical = steady(steps(other.boundaries).steps)
        if typical is not None:
            longest = max(longest, typical.seconds["wait"] + typical.seconds["communication"])
    if view.share(longest - mine) > 0.1:
        yield view.finding(
            "slow-rank",
            TEXT,
            cause="communication",
            seconds=longest - mine,
            ms=1e3 * (longest - mine),
            rank=view.process.rank,
        )
