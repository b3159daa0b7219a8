"""Anomaly detection is left on."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Anomaly detection is on",
        "torch.autograd.detect_anomaly records a trace for each op and looks for NaN in each gradient.",
        "Remove detect_anomaly (or set_detect_anomaly) once the bug is found.",
    ),
    "zh": (
        "异常检测没有关",
        "torch.autograd.detect_anomaly 为每个算子记录调用栈，并检查每个梯度中的 NaN。",
        "找到问题后去掉 detect_anomaly（或 set_detect_anomaly）。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    modes = view.process.events.get("mode", ())
    if any(mode["anomaly"] for mode in modes):
        spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state in ("forward", "backward"))
        yield view.finding(
            "anomaly-mode", TEXT, cause="overhead", seconds=spent, remedies=["debug-off"], basis="modelled"
        )
