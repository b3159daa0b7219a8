"""A `tf.data` pipeline makes an element when it is asked for one, while the step waits."""

from collections.abc import Iterator

from narrows.findings.tf_data import ran, stages, waited_for
from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The tf.data pipeline does not prefetch",
        "{ms:.2f} ms of each step waits for the next element, which is made while nothing else runs.",
        "End the pipeline with .prefetch(tf.data.AUTOTUNE).",
    ),
    "zh": (
        "tf.data 流水线没有预取",
        "每一步有 {ms:.2f} 毫秒在等下一个元素，期间什么都不运行。",
        "在流水线末尾加 .prefetch(tf.data.AUTOTUNE)。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    told, waited = waited_for(view), view.steady.seconds["next"]
    if told and not any("Prefetch" in name for name in (*stages(told), *ran(view))):
        yield view.finding(
            "tf-data-no-prefetch",
            TEXT,
            cause="input",
            seconds=min(waited, view.step - waited),
            where=view.at(told["where"]),
            remedies=["tf-data-prefetch"],
            basis="modelled",
            ms=1e3 * waited,
        )
