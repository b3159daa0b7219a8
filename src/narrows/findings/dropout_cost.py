"""Regularisation that costs time: the random numbers of dropout."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Dropout costs time",
        "Drawing which numbers are dropped takes {ms:.2f} ms of a step ({share:.0%}), in {calls:.0f} calls.",
        "Drop whole rows or channels (Dropout1d, Dropout2d), drop in fewer places, or see what weight decay does alone.",
    ),
    "zh": (
        "Dropout 花费时间",
        "抽取丢弃哪些数每步用去 {ms:.2f} 毫秒（{share:.0%}），共 {calls:.0f} 次调用。",
        "改为丢弃整行或整个通道（Dropout1d、Dropout2d），减少使用的位置，或只用权重衰减试试。",
    ),
}
MUCH = 0.05
"""Of the step. On a CPU random numbers are drawn by one thread."""
DRAWS = ("bernoulli", "bernoulli_", "native_dropout", "_fused_dropout")


def find(view: View) -> Iterator[Finding]:
    drawn = [k for k in view.kernels if k.name in DRAWS and k.state in ("forward", "loss")]
    spent = sum(k.seconds + k.fixed for k in drawn)
    if drawn and view.share(spent) > MUCH:
        most = max(drawn, key=lambda k: k.seconds)
        yield view.finding(
            "dropout-cost",
            TEXT,
            cause=most.bound,
            seconds=spent,
            where=view.place(*most.where) if most.where else None,
            ms=1e3 * spent,
            share=view.share(spent),
            calls=sum(k.calls for k in drawn),
        )
