"""Ranks read the same data: what one has learned from, the others learn from again."""

from collections.abc import Iterator, Sequence

from narrows.findings.exchange import places
from narrows.findings.view import Text, View
from narrows.report.model import Finding
from narrows.spool.record import Process

TEXT: Text = {
    "en": (
        "All ranks read the same data",
        "In {calls} of the {looks} calls that were looked at, all {ranks} ranks were given the same batch: their gradients are the"
        " same, and the work of {wasted} of them is in vain.",
        "Share the samples out: DataLoader(..., sampler=DistributedSampler(dataset)) and sampler.set_epoch(epoch); or seed each"
        " rank differently.",
    ),
    "zh": (
        "所有进程读的是同样的数据",
        "查看了 {looks} 次调用，其中 {calls} 次 {ranks} 个进程拿到的批完全相同：梯度也相同，其中 {wasted} 个进程的工作是白做的。",
        "把样本分给各进程：DataLoader(..., sampler=DistributedSampler(dataset))，并调用 sampler.set_epoch(epoch)；或给每个进程不同的种子。",
    ),
}
WHOLE: Text = {
    "en": (
        "Each rank goes through the whole dataset",
        "The sampler of each of {ranks} ranks picks all {rows} samples of the same dataset: one epoch sees each of them {ranks} times.",
        "Share the samples out: DataLoader(..., sampler=DistributedSampler(dataset)) and sampler.set_epoch(epoch).",
    ),
    "zh": (
        "每个进程都遍历整个数据集",
        "{ranks} 个进程的采样器各自选取同一个数据集的全部 {rows} 个样本：一轮里每个样本出现 {ranks} 次。",
        "把样本分给各进程：DataLoader(..., sampler=DistributedSampler(dataset))，并调用 sampler.set_epoch(epoch)。",
    ),
}
ALIKE = 3
"""Calls with the same batches: one or two may be a warm-up on made-up numbers."""
MOST = 0.9
"""Of a dataset, or of the gradients."""


def find(view: View) -> Iterator[Finding]:
    ranks = _replicas(view)
    if len(ranks) < 2:
        return
    looks = [[event["seen"] for event in p.events.get("inputs", ())] for p in ranks]
    calls = list(zip(*looks, strict=False))
    alike = sum(bool(call[0]) and all(each == call[0] for each in call) for call in calls)
    loaders = [_trains(p) for p in ranks]
    if alike >= ALIKE:
        yield view.finding(
            "same-data",
            TEXT,
            cause=None,
            seconds=view.step * (1 - 1 / len(ranks)),
            where=view.at(view.process.first("loader").get("where")),
            basis="modelled",
            calls=alike,
            looks=len(calls),
            ranks=len(ranks),
            wasted=len(ranks) - 1,
        )
    elif None not in loaders and len(set(loaders)) == 1:
        yield view.finding(
            "same-data",
            WHOLE,
            cause=None,
            seconds=0.0,  # a step is worth as much; there are more of them in what is called an epoch
            where=view.at(view.process.first("loader").get("where")),
            ranks=len(ranks),
            rows=view.process.first("loader")["rows"],
        )


def _replicas(view: View) -> Sequence[Process]:
    """The ranks that keep the same parameters, each from its own data. Ranks that share out the model itself (tensor
    parallel) are right to be given the same."""
    every = (view.process, *view.others)
    wrapped = view.process.first("parallel")
    if wrapped:
        group = wrapped.get("group")
        return [p for p in every if group is None or p.rank in group]
    updated = sum(o.get("gradient_bytes") or 0 for o in view.process.events.get("optimizer", ()))
    reduced = sum(c.calls * c.bytes for place in places(view) for c in place.collectives if c.kind == "all-reduce")
    return every if updated and reduced >= MOST * updated else ()


def _trains(process: Process) -> tuple[int, int] | None:
    """(fingerprint, rows) of the dataset that a rank's shuffled loader goes through as a whole; None if it does not, or if
    it cannot be told: a rank's dataset may be its own part of all, and a loader may leave out what is others'."""
    told = process.first("loader")
    rows, content = told.get("rows"), told.get("content")
    if told.get("sampler") != "RandomSampler" or not rows or content is None or (told.get("picked") or 0) < rows:
        return None
    taken = (told.get("batches") or 0) * (told.get("batch_size") or 0)
    return (content, rows) if taken >= MOST * rows else None
