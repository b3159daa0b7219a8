"""Ranks are given different amounts of data in a step, and who has less waits for who has most."""

import statistics
from collections.abc import Iterator, Sequence

from narrows.findings.view import SMALL, Text, View
from narrows.ledger.steps import Step, steps
from narrows.report.model import Cause, Finding
from narrows.spool.record import Process

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
UNEVEN = 0.05
"""Of what the fullest rank is given, above the mean: less is drowned by the noise of two processes' times."""
FEWEST = 8
"""Calls, or steps, of all ranks."""
EARLY = 48
"""Steps whose samples are counted in each (later ones only now and then)."""


def find(view: View) -> Iterator[Finding]:
    ranks = (view.process, *view.others)
    rows = [(view.steps.steps if p is view.process else steps(p.boundaries).steps) for p in ranks]
    amounts = [_given(ranks), [[s.samples for s in row[1:EARLY]] for row in rows]]
    spare, sums = max((_spare(each) for each in amounts), key=lambda pair: pair[0])
    if len(ranks) < 2 or spare < UNEVEN:
        return
    longest, excess, waited = _work(rows, view.steady.first)
    # Work may differ for other reasons, too: no more than what the data explain, nor than what was waited for.
    saved = min(excess, spare * longest, waited)
    if view.share(saved) > SMALL:
        fullest = max(range(len(ranks)), key=lambda i: sums[i])
        constant = sums[fullest] / statistics.mean(sums) - 1
        always = constant > 1 / (1 - spare) - 1 - UNEVEN
        cause = _work_of(view) if always and fullest == 0 else "communication"
        yield view.finding(
            "data-imbalance",
            TEXT if always else TURNS,
            cause=cause,
            seconds=min(saved, view.seconds(cause)),
            where=view.at(view.process.first("loader").get("where")),
            basis="modelled",
            rank=ranks[fullest].rank,
            part=constant if always else 1 / (1 - spare) - 1,
            ms=1e3 * excess,
        )


def _work_of(view: View) -> Cause:
    """The ledger is that of the rank that all wait for: with less to do, most of what goes is what its model spends most on."""
    spent: dict[Cause, float] = {}
    for entry in view.entries:
        if entry.state in ("forward", "backward"):
            spent[entry.cause] = spent.get(entry.cause, 0.0) + entry.seconds
    return max(spent, key=lambda cause: spent[cause])


def _given(ranks: Sequence[Process]) -> list[list[int]]:
    """How many numbers each rank's model was called with, call by call."""
    return [[n for event in p.events.get("given", ()) for n in event["numbers"]] for p in ranks]


def _spare(amounts: Sequence[Sequence[int]]) -> tuple[float, list[int]]:
    """(share of what the fullest rank has that is above the mean, on average over the calls; what each has in all)."""
    count = min(map(len, amounts))
    calls = [call for call in zip(*(each[:count] for each in amounts), strict=True) if max(call)]
    if len(calls) < FEWEST:
        return 0.0, [0] * len(amounts)
    spare = statistics.mean(1 - statistics.mean(call) / max(call) for call in calls)
    return spare, [sum(each) for each in zip(*calls, strict=True)]


def _work(rows: Sequence[Sequence[Step]], first: int) -> tuple[float, float, float]:
    """Of a steady step that all ranks made together, in seconds: the longest forward and backward, by how much that is
    above their mean, and how much longer the ranks wait than the one that waits least."""
    turns = [turn for turn in zip(*(row[first:] for row in rows), strict=False) if not any(s.disturbed for s in turn)]
    if len(turns) < FEWEST:
        return 0.0, 0.0, 0.0
    work = [[(s.state("forward") + s.state("backward")) / 1e9 for s in turn] for turn in turns]
    waits = [[s.waited for s in turn] for turn in turns]
    usual = 2 * statistics.median(max(each) for each in work)
    kept = [i for i, each in enumerate(work) if max(each) <= usual]  # others were held up by something else
    return (
        statistics.mean(max(work[i]) for i in kept),
        statistics.mean(max(work[i]) - statistics.mean(work[i]) for i in kept),
        statistics.mean(statistics.mean(waits[i]) - min(waits[i]) for i in kept),
    )
