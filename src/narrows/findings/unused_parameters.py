"""Parameters that no gradient ever reaches."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Parameters without a gradient",
        "{count} parameters ({elements:,} numbers) never get a gradient: {names}.",
        "Remove them, or freeze them with requires_grad_(False).",
    ),
    "zh": (
        "没有梯度的参数",
        "{count} 个参数（共 {elements:,} 个数）从未得到梯度：{names}。",
        "删除它们，或用 requires_grad_(False) 冻结。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    looks = view.process.events.get("gradients", ())
    if len(looks) < 2 or not all(look["unused"] for look in looks):
        return
    always = set(looks[0]["unused"]).intersection(*(look["unused"] for look in looks[1:]))
    if always:
        yield view.finding(
            "unused-parameters",
            TEXT,
            cause=None,
            seconds=0.0,
            where=view.at(view.process.first("optimizer").get("where")),
            count=len(always),
            elements=looks[-1]["unused_elements"],
            names=", ".join(sorted(always)[:5]),
        )
