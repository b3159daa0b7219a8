"""The loop asks for the value of a tensor in each step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The loop reads values from tensors each step",
        "{calls:.0f} reads a step (.item(), .tolist(), print) at this line; on a device each one waits for all work before it.",
        "Keep the running value as a tensor and read it every 50 steps.",
    ),
    "zh": (
        "循环每一步都读取张量的值",
        "这一行每一步读取 {calls:.0f} 次（.item()、.tolist()、print）；在加速卡上每次都要等待之前的全部工作。",
        "把累计值保持为张量，每 50 步读取一次。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    by_line: dict[tuple[str, int], list[float]] = {}
    for kernel in view.kernels:
        if kernel.name == "_local_scalar_dense" and kernel.where is not None:
            row = by_line.setdefault(kernel.where, [0.0, 0.0])
            row[0] += kernel.calls
            row[1] += kernel.seconds + kernel.fixed
    for where, (calls, spent) in by_line.items():
        if calls >= 1 and (view.share(spent) > 0.02 or view.process.cuda):
            yield view.finding(
                "host-sync",
                TEXT,
                cause="host",
                seconds=spent,
                where=view.place(*where),
                remedies=[],
                calls=calls,
            )
