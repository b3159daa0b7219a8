"""A job that never trains records graphs for backwards that never come."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Gradients are recorded in inference",
        "Each model call records an autograd graph, and nothing ever uses it.",
        "Wrap the loop in torch.inference_mode().",
    ),
    "zh": (
        "推理时记录了梯度",
        "每次模型调用都记录自动求导图，但从未使用。",
        "用 torch.inference_mode() 包住循环。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    late = view.steps.timed(view.steady.first)
    if view.steps.type == "inference" and late and sum(s.gradients for s in late) > len(late) / 2:
        if any(s.backwards for s in late):
            return
        spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state == "forward")
        yield view.finding(
            "gradients-in-inference",
            TEXT,
            cause="overhead",
            # Recording costs about as much as dispatching: half of what is not arithmetic.
            seconds=spent / 2,
            where=view.at(view.process.first("model").get("where")),
            remedies=["inference-mode"],
            basis="modelled",
        )
