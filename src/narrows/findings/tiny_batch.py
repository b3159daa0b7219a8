"""Keras' batches are so small that a step is mostly the cost of making a step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Batches are tiny",
        "{part:.0%} of a step is Keras and the framework, the same for {size} samples as for more; there are {samples} samples.",
        "Raise batch_size (with the learning rate), or run several steps in a call (compile(steps_per_execution=...)).",
    ),
    "zh": (
        "批太小",
        "一步有 {part:.0%} 是 Keras 和框架的开销，{size} 个样本和更多样本时一样；数据共有 {samples} 个样本。",
        "提高 batch_size（学习率随之调整），或一次调用执行多步（compile(steps_per_execution=...)）。",
    ),
}
FEWEST = 4
"""Batches in an epoch: with fewer there is nothing to put together."""


def find(view: View) -> Iterator[Finding]:
    told = view.process.first("data")
    size, samples = told.get("batch_size"), told.get("samples")
    spent = view.seconds("overhead")
    if size and samples and samples >= FEWEST * size and view.share(spent) > 0.5:
        yield view.finding(
            "tiny-batch",
            TEXT,
            cause="overhead",
            seconds=spent / 2,
            where=view.at(told["where"]),
            remedies=["keras-steps-per-execution"],
            basis="modelled",
            part=view.share(spent),
            size=size,
            samples=samples,
        )
