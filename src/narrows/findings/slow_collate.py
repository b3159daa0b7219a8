"""Most of the time in which batches are made goes to putting samples together."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Collating batches is slow",
        "{part:.0%} of the time in which batches are made is in the collate function.",
        "Keep samples as tensors of one shape, or fetch a whole batch from the dataset at once (__getitems__).",
    ),
    "zh": (
        "拼批很慢",
        "生成批数据的时间有 {part:.0%} 花在 collate 函数里。",
        "让样本成为同形状的张量，或从数据集一次取一整批（__getitems__）。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    spent = view.steady.seconds["next"]
    makers = [p.last("fetches") for p in (view.process, *view.workers) if p.last("fetches")]
    whole = sum(m["fetch_ns"] for m in makers)
    part = sum(m["collate_ns"] for m in makers) / whole if whole else 0.0
    if view.share(spent * part) > 0.05 and part > 0.4:
        yield view.finding(
            "slow-collate",
            TEXT,
            cause="input",
            seconds=spent * part,
            where=view.at(view.process.first("loader").get("where")),
            remedies=["loader-workers"],
            basis="modelled",
            part=part,
        )
