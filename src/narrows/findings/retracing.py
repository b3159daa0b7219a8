"""A `tf.function` was traced again and again: its arguments' shapes, or Python values, change."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "A function is traced again and again",
        "`{name}` was made into {graphs} graphs. Making one takes as long as hundreds of steps.",
        "Pass tensors, not Python numbers; give it an input_signature with None for sizes that change"
        " (or reduce_retracing=True), or pad to a few sizes.",
    ),
    "zh": (
        "函数被反复追踪",
        "`{name}` 被做成了 {graphs} 个图。做一个图的时间够跑几百步。",
        "传张量而不是 Python 数；用 input_signature 把会变的尺寸写成 None（或 reduce_retracing=True），或填充到少数尺寸。",
    ),
}
MOST = 5
"""Graphs of one function: some for types, and one for a last batch that is smaller, are usual."""


def find(view: View) -> Iterator[Finding]:
    for name, graphs, where in view.process.last("traced").get("functions", ()):
        if graphs > MOST * max(1, len(view.process.events.get("model", ()))):  # Keras makes those of each model
            # Steps in which a graph is made stand far above the median, or are start-up: what is known is how often.
            over = [d - view.step for d in view.steady.durations if d > 3 * view.step]
            yield view.finding(
                "retracing",
                TEXT,
                cause="overhead",
                seconds=min(view.step, sum(over) / max(1, len(view.steady.durations))),
                where=view.at(where),
                basis="modelled",
                name=name,
                graphs=graphs,
            )
