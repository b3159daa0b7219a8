"""Gradients are exchanged in each backward of an accumulation step, and only their sum is used."""

import statistics
from collections.abc import Iterator

from narrows.findings.exchange import gradients, synced, syncs
from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Gradients are exchanged in every micro-batch",
        "{backwards:.0f} backwards a step, and all gradients are exchanged {times:.1f} times; once is enough.",
        "Run all but the last micro-batch under model.no_sync() (accelerate: accelerator.accumulate(model)).",
    ),
    "zh": (
        "每个微批都交换梯度",
        "每一步有 {backwards:.0f} 次反向，全部梯度交换了 {times:.1f} 次；一次就够了。",
        "除最后一个微批外，都在 model.no_sync() 里运行（accelerate 用 accelerator.accumulate(model)）。",
    ),
}
OFTEN = 1.5
"""Exchanges of all gradients in a step: 1 is needed, and parts of a model that run twice make it a little more."""


def find(view: View) -> Iterator[Finding]:
    backwards = statistics.median(s.backwards for s in view.steps.steps)
    times = syncs(view)
    saved = synced(view) * (1 - 1 / times) if times else 0.0
    if backwards > 1 and times > OFTEN and view.share(saved) > SMALL:
        where = max(gradients(view), key=lambda c: c.calls * c.bytes).where
        yield view.finding(
            "sync-every-micro-batch",
            TEXT,
            cause="communication",
            seconds=saved,
            where=view.place(*where) if where else None,
            remedies=["ddp-no-sync"],
            basis="modelled",
            backwards=backwards,
            times=times,
        )
