"""Sigmoids and tanhs inside the model that are at their ends, where their gradient vanishes."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Saturated units",
        "In a {name} of shape {shape}, {part:.0%} of the outputs are within 1% of an end, where its gradient is nearly zero.",
        "Normalise what goes into it, start with smaller weights (Xavier), or use ReLU or GELU.",
    ),
    "zh": (
        "饱和的神经元",
        "在形状为 {shape} 的 {name} 中，{part:.0%} 的输出距端点不到 1%，那里梯度几乎为零。",
        "对其输入做归一化，用更小的初始权重（Xavier），或改用 ReLU、GELU。",
    ),
}
MUCH = 0.5
"""Of the outputs of a layer."""


def find(view: View) -> Iterator[Finding]:
    seen = [each for event in view.process.events.get("values", ()) for each in event.get("squashed", ())]
    # What a model ends with is to be at its ends: it answers yes or no. Attention over gates of one unit is, too.
    inner = [each for each in seen if each["inner"] and each["shape"] and each["shape"][-1] > 1]
    if view.steps.type == "training" and inner:
        worst = max(inner, key=lambda each: each["part"])
        if worst["part"] > MUCH:
            yield view.finding(
                "saturated-units", TEXT, cause=None, seconds=0.0, name=worst["name"], shape=tuple(worst["shape"]),
                part=worst["part"],
            )  # fmt: skip
