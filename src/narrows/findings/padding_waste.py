"""Tokens that are only padding are computed like all others."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Padding is computed",
        "{part:.0%} of the tokens are padding ({how}).",
        "Group samples of similar length (bucketing), pad to the longest of the batch, or pack several samples into one row.",
    ),
    "zh": (
        "填充也在计算",
        "{part:.0%} 的词元是填充（{how}）。",
        "把长度相近的样本放在一批（分桶），只填充到本批最长，或把多个样本打包成一行。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    seen = [p for event in view.process.events.get("values", ()) for p in event["padding"]]
    tokens, padded = sum(p[0] for p in seen), sum(p[1] for p in seen)
    if tokens and padded / tokens > 0.15:
        s = view.steady.seconds
        yield view.finding(
            "padding-waste",
            TEXT,
            cause="compute",
            seconds=(s["forward"] + s["backward"]) * padded / tokens,
            where=view.at(view.process.first("model").get("where")),
            remedies=[],
            basis="modelled",
            part=padded / tokens,
            how=seen[0][2],
        )
