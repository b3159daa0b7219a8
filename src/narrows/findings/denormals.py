"""Operands so small that the processor handles them in microcode."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Denormal numbers",
        "{part:.1%} of the elements of products are denormal, which many processors compute up to 100 times slower.",
        "Call torch.set_flush_denormal(True), and look why values decay to nothing.",
    ),
    "zh": (
        "非规格化数",
        "乘积的元素有 {part:.1%} 是非规格化数，许多处理器计算它们最多慢 100 倍。",
        "调用 torch.set_flush_denormal(True)，并检查数值为何衰减到零附近。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    seen = view.process.last("values").get("denormal") or [0, 0]
    part = seen[0] / seen[1] if seen[1] else 0.0
    if part > 0.01:
        spent = sum(k.seconds for k in view.kernels if k.cost.kind in ("matmul", "convolution"))
        limit = sum(k.limit for k in view.kernels if k.cost.kind in ("matmul", "convolution"))
        yield view.finding(
            "denormals",
            TEXT,
            cause="compute",
            seconds=max(0.0, spent - 2 * limit),
            remedies=["flush-denormals"],
            basis="modelled",
            part=part,
        )
