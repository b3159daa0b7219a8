"""The job evaluates between updates, and much of its time goes there."""

from collections.abc import Iterator

from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Evaluation between updates",
        "{times} evaluations of {each:.3g} s took {share:.0%} of the steady run: {ms:.2f} ms for each step.",
        "Evaluate less often, on fewer samples, in larger batches, or in inference_mode; or in another process from a checkpoint.",
    ),
    "zh": (
        "更新之间的评估",
        "{times} 次评估，每次 {each:.3g} 秒，占稳定运行时间的 {share:.0%}：平均每一步 {ms:.2f} 毫秒。",
        "减少评估次数或样本，增大评估批量，使用 inference_mode；或在另一个进程里从检查点评估。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    late = [s for s in view.steps.steps[view.steady.first :] if not s.disturbed]
    times = sum(1 for s in late if s.state("evaluate"))
    whole = sum(s.seconds for s in late)
    if times and view.steady.evaluation > SMALL * whole:
        each = view.steady.evaluation / len(late)
        yield view.finding(
            "evaluation-in-loop",
            TEXT,
            cause="host",
            seconds=min(view.step, each),
            where=view.at(view.process.first("evaluation").get("where")),
            times=times,
            each=view.steady.evaluation / times,
            share=view.steady.evaluation / whole,
            ms=1e3 * each,
        )
