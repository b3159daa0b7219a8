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
MUCH = 0.15
"""Of the tokens."""


def find(view: View) -> Iterator[Finding]:
    padded = part(view)
    if padded > MUCH:
        s = view.steady.seconds
        yield view.finding(
            "padding-waste",
            TEXT,
            cause="compute",
            seconds=(s["forward"] + s["backward"]) * padded,
            where=view.at(view.process.first("model").get("where")),
            remedies=["length-bucketing", "sequence-packing"],
            basis="modelled",
            part=padded,
            how=_seen(view)[0][2],
        )


def part(view: View) -> float:
    """Of all tokens that were looked at, those that are padding."""
    seen = _seen(view)
    tokens = sum(p[0] for p in seen)
    return sum(p[1] for p in seen) / tokens if tokens else 0.0


def _seen(view: View) -> list[tuple[int, int, str]]:
    return [p for event in view.process.events.get("values", ()) for p in event["padding"]]
