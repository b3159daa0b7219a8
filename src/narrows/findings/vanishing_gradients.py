"""Some layers get gradients so much smaller than the rest that they do not learn."""

from collections.abc import Iterator, Sequence
from typing import Any

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Vanishing gradients",
        "At update {update} the gradient of {name} is {times:.0e} times that of the largest layer, for its size.",
        "Use ReLU-like activations, normalisation, residual connections or another initialisation.",
    ),
    "zh": (
        "梯度消失",
        "第 {update} 次更新时，{name} 的梯度（按大小计）只有最大层的 {times:.0e} 倍。",
        "使用类 ReLU 的激活、归一化、残差连接或其他初始化。",
    ),
}


LEAST = 1e-5
"""Ratio of root-mean-square gradients, smallest layer to largest. Healthy nets here stay above 1e-3."""


def find(view: View) -> Iterator[Finding]:
    by: dict[int, list[Any]] = {}
    for look in view.process.events.get("gradients", ()):
        if len(look["layers"]) >= 3:
            by.setdefault(look.get("who", 0), []).append(look)
    # Of a generator and a discriminator, one may learn nothing while the other does.
    for looks in by.values():
        small = list(_small(looks))
        if len(small) * 2 > len(looks):
            update, name, times = small[0]
            yield view.finding(
                "vanishing-gradients", TEXT, cause=None, seconds=0.0, update=update, name=name, times=times
            )  # fmt: skip
            return


def _small(looks: Sequence[Any]) -> Iterator[tuple[int, str, float]]:
    for look in looks:
        # Weights only: a bias before a batch normalisation has no gradient, and should have none.
        sizes = {
            name: norm / elements**0.5
            for name, norm, _, elements in look["layers"]
            if norm == norm and name.endswith("weight")
        }
        if len(sizes) < 3:
            continue
        largest = max(sizes.values(), default=0.0)
        name = min(sizes, key=lambda n: sizes[n], default="")
        if largest > 0 and sizes[name] < LEAST * largest:
            yield look["update"], name, sizes[name] / largest
