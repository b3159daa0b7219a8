"""A job that went on after its loss had stopped falling."""

import statistics
from collections.abc import Iterator, Sequence

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The loss stopped falling",
        "Since update {update} of {updates} the loss has not fallen beyond its own noise ({before:.4g}, and {after:.4g} at the "
        "end): that was {part:.0%} of the updates.",
        "Stop when a held-out loss no longer falls, lower the learning rate from there on (a schedule), or change the model.",
    ),
    "zh": (
        "损失不再下降",
        "自第 {update} 次更新（共 {updates} 次）起，损失的下降没有超出自身的波动（{before:.4g}，结束时 {after:.4g}）：占全部更新的 {part:.0%}。",
        "当验证损失不再下降时停止，从那时起降低学习率（学习率计划），或更换模型。",
    ),
}
BLOCKS = 16
FEWEST = 4
"""Losses of a block, for its mean to have a known error."""
LONG = 0.5
"""Of the updates. A shorter end is what every job has that is stopped when it should be."""


def find(view: View) -> Iterator[Finding]:
    seen = view.process.last("losses").get("seen") or []
    if view.steps.type != "training" or len(view.process.events.get("optimizer", ())) != 1:
        return  # losses of two that play against each other need not fall
    size = (seen[-1][0] + 1) / BLOCKS if seen else 0
    blocks = [[loss for update, loss in seen if i * size <= update < (i + 1) * size] for i in range(BLOCKS)]
    if min(map(len, blocks)) < FEWEST:
        return
    first = flat_from(blocks)
    part = 1 - first / BLOCKS
    if first > 0 and part >= LONG:
        yield view.finding(
            "stopped-improving", TEXT, cause=None, seconds=0.0, update=round(first * size), updates=seen[-1][0], part=part,
            before=statistics.fmean(blocks[first]), after=statistics.fmean(blocks[-1]),
        )  # fmt: skip


def flat_from(blocks: Sequence[Sequence[float]]) -> int:
    """The first block that no later pair of blocks is lower than, by more than two of the errors of their means. 0 if the
    loss never fell."""
    means = [statistics.fmean(block) for block in blocks]
    errors = [statistics.stdev(block) / len(block) ** 0.5 for block in blocks]
    for i in range(len(blocks) - 1):
        later = [(means[j] + means[j + 1]) / 2 for j in range(i + 1, len(blocks) - 1)]
        noise = 2 * max(errors[i:])
        if all(means[i] - low <= noise for low in later):
            return i
    return len(blocks)
