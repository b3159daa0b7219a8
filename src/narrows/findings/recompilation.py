"""torch.compile compiled the same code again and again."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Recompilation",
        "{graphs} graphs were compiled for {frames} functions, {spent:.1f} s in all.",
        "Mark changing sizes as dynamic (torch.compile(dynamic=True)) or pad to a few fixed sizes.",
    ),
    "zh": (
        "反复编译",
        "为 {frames} 个函数编译了 {graphs} 个图，共 {spent:.1f} 秒。",
        "把变化的尺寸标为动态（torch.compile(dynamic=True)），或填充到少数固定尺寸。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    seen = view.process.last("compile")
    if seen and seen["frames"] and seen["graphs"] > 2 * seen["frames"] + 2:
        yield view.finding(
            "recompilation",
            TEXT,
            cause="overhead",
            seconds=min(view.step, seen["seconds"] / max(1, len(view.steps.steps))),
            remedies=["compile-dynamic"],
            basis="modelled",
            graphs=seen["graphs"],
            frames=seen["frames"],
            spent=seen["seconds"],
        )
