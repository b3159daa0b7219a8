"""Attention, whose cost grows with the square of the length, takes a good part of the step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Attention grows with the square of the length",
        "At length {length}, attention takes {part:.0%} of the step; at twice the length it would take four times as long. "
        "If all else grows evenly, a step takes as long as the length to the power of {exponent:.2f} here: {twice:.0f} ms at twice the "
        "length, {four:.0f} ms at four times that of now.",
        "Shorten or chunk the sequences, use a window, or scaled_dot_product_attention if it is written out.",
    ),
    "zh": (
        "注意力随长度平方增长",
        "长度 {length} 时注意力占一步的 {part:.0%}；长度加倍时要四倍时间。"
        "若其余部分随长度线性增长，一步的时间在此按长度的 {exponent:.2f} 次方增长：长度加倍时 {twice:.0f} 毫秒，四倍时 {four:.0f} 毫秒。",
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
    part = min(1.0, view.share(spent))
    if part > 0.25 and length >= 128:
        yield view.finding(
            "long-attention",
            TEXT,
            cause="compute",
            seconds=spent / 2,
            where=view.at(view.process.first("model").get("where")),
            remedies=["sdpa"],
            basis="modelled",
            length=length,
            part=part,
            exponent=1 + part,
            twice=view.step * _times(part, 2) * 1e3,
            four=view.step * _times(part, 4) * 1e3,
        )


def _times(part: float, longer: int) -> float:
    """As long as a step takes at so many times the length, where this part of it grows with the square."""
    return (1 - part) * longer + part * longer**2


def _square(shape: tuple[int, ...]) -> bool:
    """Scores of attention: (..., heads, length, length)."""
    return len(shape) >= 3 and shape[-1] == shape[-2] >= 128
