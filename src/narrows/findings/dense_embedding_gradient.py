"""An embedding writes a gradient for its whole table, and the optimizer reads it, for a few rows."""

from collections.abc import Iterator

from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Dense gradient of a large embedding",
        "A table of {rows:,} rows gets a whole gradient, and a whole update, for {used:,} rows that were looked up.",
        "Use sparse=True with SparseAdam or SGD, or an optimizer that updates rows lazily.",
    ),
    "zh": (
        "大嵌入表使用稠密梯度",
        "{rows:,} 行的表为 {used:,} 行查询写了整张梯度并整张更新。",
        "使用 sparse=True 配合 SparseAdam 或 SGD，或按行更新的优化器。",
    ),
}


NAMES = ("embedding_dense_backward", "_embedding_bag_dense_backward", "_embedding_bag_backward")
SPARSE = 9
"""Where `_embedding_bag_backward`, which stands for both, says which it is; the others have fewer arguments."""


def find(view: View) -> Iterator[Finding]:
    from narrows.ledger.cost import inputs, outputs

    for kernel in view.kernels:
        if kernel.name not in NAMES or kernel.op.arguments[SPARSE : SPARSE + 1] == (True,):
            continue
        tables = [t for t in outputs(kernel.op) if len(t.shape) == 2]
        looked_up = list(inputs(kernel.op)[1:2])
        if not tables or not looked_up:
            continue
        table, used = tables[0], looked_up[0].elements
        if table.shape[0] < 4 * used or table.bytes < 1 << 20:
            continue
        update = sum(
            k.seconds
            for k in view.kernels
            if k.state == "optimizer" and any(t.shape == table.shape for t in inputs(k.op))
        )
        spent = (kernel.seconds + update) * (1 - used / table.shape[0])
        if view.share(spent) > SMALL:
            yield view.finding(
                "dense-embedding-gradient",
                TEXT,
                cause="bandwidth",
                seconds=spent,
                where=view.at(view.process.first("model").get("where")),
                remedies=["sparse-embedding"],
                basis="modelled",
                rows=table.shape[0],
                used=used,
            )
