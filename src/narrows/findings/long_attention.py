"""Attention, whose cost grows with the square of the length, takes a good part of the step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Attention grows with the square of the length",
        "At length {length}, attention takes {part:.0%} of the step; at twice the length it would take four times as long.",
        "Shorten or chunk the sequences, use a window, or scaled_dot_product_attention if it is written out.",
    ),
    "zh": (
        "注意力随长度平方增长",
        "长度 {length} 时注意力占一步的 {part:.0%}；长度加倍时要四倍时间。",
        "缩短或切分序列、使用窗口；若是手写的注意力，改用 scaled_dot_product_attention。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    from narrows.ledger.cost import inputs

    spent, length = 0.0, 0
    for kernel in view.kernels:
        tensors = inputs(kernel.op)
        if kernel.cost.kind == "attention":
            spent += kernel.seconds
            length = max(length, tensors[0].shape[-2])
        elif kernel.cost.kind in ("softmax", "matmul") and any(_square(t.shape) for t in tensors):
            spent += kernel.seconds
            length = max([length, *(t.shape[-1] for t in tensors if _square(t.shape))])
    if view.share(spent) > 0.25 and length >= 128:
        yield view.finding(
            "long-attention",
            TEXT,
            cause="compute",
            seconds=spent / 2,
            where=view.at(view.process.first("model").get("where")),
            remedies=["sdpa"],
            basis="modelled",
            length=length,
            part=view.share(spent),
        )


def _square(shape: tuple[int, ...]) -> bool:
    """Scores of attention: (..., heads, length, length)."""
    return len(shape) >= 3 and shape[-1] == shape[-2] >= 128
