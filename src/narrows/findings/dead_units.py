"""Rectified units that are zero for the whole batch."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Dead units",
        "In a layer of shape {shape}, {part:.0%} of the units are zero for the whole batch.",
        "Lower the learning rate, or use LeakyReLU or GELU.",
    ),
    "zh": (
        "死神经元",
        "在形状为 {shape} 的层里，{part:.0%} 的单元对整批数据都为零。",
        "降低学习率，或使用 LeakyReLU、GELU。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    layers = [r for event in view.process.events.get("values", ()) for r in event["rectified"]]
    dead = [r for r in layers if r[2] is not None and r[0][0] >= 8 and r[2] > 0.5]
    if dead:
        worst = max(dead, key=lambda r: r[2])
        yield view.finding("dead-units", TEXT, cause=None, seconds=0.0, shape=tuple(worst[0]), part=worst[2])
