"""Of two models that play against each other: what is made looks all the same."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Signs of mode collapse",
        "Of two batches that {model} was given in the same step, the samples of one differ {part:.0%} as much as those of the "
        "other: what is generated is all alike.",
        "Lower the learning rate of the discriminator, update the generator more often, or use a loss that does not saturate "
        "(hinge, Wasserstein with gradient penalty); minibatch discrimination punishes it directly.",
    ),
    "zh": (
        "模式崩溃的迹象",
        "同一步中交给 {model} 的两批数据里，一批样本间的差异只有另一批的 {part:.0%}：生成的样本几乎相同。",
        "降低判别器的学习率，更频繁地更新生成器，或改用不饱和的损失（hinge、带梯度惩罚的 Wasserstein）；minibatch discrimination 可直接惩罚它。",
    ),
}
MUCH = 0.25
"""Of the other batch's spread."""
LOOKS = 2
"""An untrained generator is below it, too: the job is to have been looked at again, later."""


def find(view: View) -> Iterator[Finding]:
    if view.steps.type != "training" or len(view.process.events.get("optimizer", ())) != 2:
        return
    looks = view.process.events.get("values", ())
    by: dict[tuple[str, tuple[int, ...]], list[float]] = {}
    for each in looks[-1].get("variety", ()) if len(looks) >= LOOKS else ():
        by.setdefault((each["model"], tuple(each["shape"])), []).append(each["spread"])
    for (model, _), spreads in by.items():
        part = min(spreads) / max(spreads) if max(spreads) > 0 else 1.0
        if len(spreads) > 1 and part < MUCH:
            yield view.finding(
                "mode-collapse", TEXT, cause=None, seconds=0.0, where=view.at(view.process.first("model").get("where")),
                model=model, part=part,
            )  # fmt: skip
            return
