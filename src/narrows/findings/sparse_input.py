"""Products over inputs that are nearly all zeros."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.ledger.cost.traffic import tensors
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Nearly all of the input is zeros",
        "{part:.1%} of the input of a product of shape {shape} are zeros, and all of them are multiplied.",
        "Give the indices instead of the vectors (nn.EmbeddingBag with their weights), or a sparse matrix (torch.sparse).",
    ),
    "zh": (
        "输入几乎全是零",
        "形状为 {shape} 的乘积，其输入有 {part:.1%} 是零，却全部参与相乘。",
        "改为传入下标（nn.EmbeddingBag 加权重），或使用稀疏矩阵（torch.sparse）。",
    ),
}
MUCH = 0.95
"""Zeros. Below, dense products are the faster ones: they use the processor's wide units."""
WIDE = 256
"""Columns that an input has at least: of fewer, little could be saved."""


def find(view: View) -> Iterator[Finding]:
    seen = [each for event in view.process.events.get("values", ()) for each in event.get("zeros", ())]
    wide = [each for each in seen if each["part"] > MUCH and each["shape"][-1] >= WIDE]
    if not wide:
        return
    worst = max(wide, key=lambda each: each["shape"][0] * each["shape"][-1])
    rows, columns = worst["shape"][0], worst["shape"][-1]
    products = [
        k for k in view.kernels
        if k.cost.kind == "matmul" and any(each.shape in ((rows, columns), (columns, rows)) for each in tensors(k.op.arguments))
    ]  # fmt: skip
    saved = worst["part"] * sum(k.seconds for k in products)
    if view.share(saved) > 0.05:
        yield view.finding(
            "sparse-input", TEXT, cause=products[0].bound, seconds=saved, basis="modelled", part=worst["part"],
            shape=(rows, columns),
        )  # fmt: skip
