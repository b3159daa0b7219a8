"""The model answers in train mode: dropout and batch statistics change its answers."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The model is in train mode while it infers",
        "Dropout and batch normalisation behave as in training, so answers depend on chance and on the rest of the batch.",
        "Call model.eval() before the loop.",
    ),
    "zh": (
        "推理时模型处于训练模式",
        "Dropout 和批归一化按训练方式运行，结果会受随机和同批数据影响。",
        "在循环之前调用 model.eval()。",
    ),
}


RANDOM = (
    "native_dropout",
    "bernoulli_",
    "dropout",
    "native_batch_norm",
    "batch_norm",
    "_native_batch_norm_legit",
)


def find(view: View) -> Iterator[Finding]:
    late = view.steps.timed(view.steady.first)
    if view.steps.type != "inference" or not late or sum(s.training for s in late) <= len(late) / 2:
        return
    kernels = [k for k in view.kernels if k.state == "forward" and k.name in RANDOM]
    if kernels:
        yield view.finding(
            "train-mode-in-inference",
            TEXT,
            cause=None,
            seconds=sum(k.seconds + k.fixed for k in kernels),
            where=view.at(view.process.first("model").get("where")),
            remedies=[],
        )
