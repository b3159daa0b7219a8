"""Ranks are given different amounts of data in a step, and who has less waits for who has most."""

import statistics
from collections.abc import Iterator, Sequence

from narrows.findings.amounts import UNEVEN, amounts, work
from narrows.findings.view import SMALL, Text, View
from narrows.ledger.steps import Step
from narrows.report.model import Cause, Finding

TEXT: Text = {
    "en": (
        "Ranks are given different amounts of data",
        "Rank {rank} is given {part:.0%} more than the mean of the ranks, and computes {ms:.2f} ms longer than they do.",
        "Give each rank the same: equal batches (DistributedSampler, drop_last=True), or batches of equal numbers of tokens.",
    ),
    "zh": (
        "各进程分到的数据不一样多",
        "进程 {rank} 分到的数据比平均多 {part:.0%}，计算比平均长 {ms:.2f} 毫秒。",
        "让每个进程分到一样多：大小相同的批（DistributedSampler，drop_last=True），或词元数相同的批。",
    ),
}
TURNS: Text = {
    "en": (
        TEXT["en"][0],
        "In each step another rank has the most, {part:.0%} more than the mean, and computes {ms:.2f} ms longer than the mean.",
        "Let all ranks take samples of similar length in the same step (bucket first, then share out), or batches of equal"
        " numbers of tokens.",
    ),
    "zh": (
        TEXT["zh"][0],
        "每一步都有某个进程分到最多，比平均多 {part:.0%}，计算比平均长 {ms:.2f} 毫秒，而且每次不一定是同一个。",
        "让所有进程在同一步取长度相近的样本（先分桶，再分给各进程），或使用词元数相同的批。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    given = amounts(view)
    if given is None:
        return
    longest, excess, waited = _work(given.rows)
    # Work may differ for other reasons, too: no more than what the data explain, nor than what was waited for.
    saved = min(excess, given.spare * longest, waited)
    if view.share(saved) > SMALL:
        part = 1 / (1 - given.spare) - 1
        constant = given.sums[given.fullest] / statistics.mean(given.sums) - 1
        always = constant > part - UNEVEN
        cause = _work_of(view) if always and given.fullest == 0 else "communication"
        yield view.finding(
            "data-imbalance",
            TEXT if always else TURNS,
            cause=cause,
            seconds=min(saved, view.seconds(cause)),
            where=view.at(view.process.first("loader").get("where")),
            basis="modelled",
            rank=given.ranks[given.fullest].rank,
            part=constant if always else part,
            ms=1e3 * excess,
        )


def _work_of(view: View) -> Cause:
    """The ledger is that of the rank that all wait for: with less to do, most of what goes is what its model spends most on."""
    spent: dict[Cause, float] = {}
    for entry in view.entries:
        if entry.state in ("forward", "backward"):
            spent[entry.cause] = spent.get(entry.cause, 0.0) + entry.seconds
    return max(spent, key=lambda cause: spent[cause])


def _work(rows: Sequence[Sequence[Step]]) -> tuple[float, float, float]:
    """Of a steady step that all ranks made together, in seconds: the longest forward and backward, by how much that is
    above their mean, and how much longer the ranks wait than the one that waits least."""
    made = [[work(step) for step in row] for row in rows]
    waits = [[step.waited for step in row] for row in rows]
    usual = 2 * statistics.median(max(each) for each in made)
    kept = [i for i, each in enumerate(made) if max(each) <= usual]  # others were held up by something else
    return (
        statistics.mean(max(made[i]) for i in kept),
        statistics.mean(max(made[i]) - statistics.mean(made[i]) for i in kept),
        statistics.mean(statistics.mean(waits[i]) - min(waits[i]) for i in kept),
    )
