"""Tensors are copied from one memory layout to another and back."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Copies between memory layouts",
        "{calls:.0f} copies a step change only the layout (transposed, NCHW, NHWC), {ms:.2f} ms.",
        "Keep one layout throughout (channels_last for convolutions), and make tensors contiguous once.",
    ),
    "zh": (
        "内存布局之间的拷贝",
        "每一步有 {calls:.0f} 次拷贝只改变布局（转置、NCHW、NHWC），共 {ms:.2f} 毫秒。",
        "始终使用一种布局（卷积用 channels_last），并只做一次 contiguous。",
    ),
}


COPIES = ("clone", "contiguous", "copy_")


def find(view: View) -> Iterator[Finding]:
    from narrows.ledger.cost import inputs

    copies = [
        k for k in view.kernels
        if k.name in COPIES and k.state in ("forward", "backward") and any(t.layout in "nl" for t in inputs(k.op))
    ]  # fmt: skip
    spent = sum(k.seconds for k in copies)
    if view.share(spent) > 0.05:
        yield view.finding(
            "layout-copies",
            TEXT,
            cause="bandwidth",
            seconds=spent,
            where=view.at(view.process.first("model").get("where")),
            remedies=["channels-last"],
            calls=sum(k.calls for k in copies),
            ms=1e3 * spent,
        )
