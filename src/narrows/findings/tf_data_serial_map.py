"""A `tf.data` pipeline maps its elements on one thread, and the step waits for it."""

from collections.abc import Iterator

from narrows.findings.tf_data import stages, waited_for
from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "tf.data maps one element at a time",
        "{maps} map of the pipeline runs on one thread, and the step waits {ms:.2f} ms for it.",
        "Pass num_parallel_calls=tf.data.AUTOTUNE to map.",
    ),
    "zh": (
        "tf.data 逐个元素做 map",
        "流水线里有 {maps} 个 map 只用一个线程，每一步要等它 {ms:.2f} 毫秒。",
        "给 map 传 num_parallel_calls=tf.data.AUTOTUNE。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    told, waited = waited_for(view), view.steady.seconds["next"]
    maps = [name for name in stages(told) if "Map" in name and "Parallel" not in name and "Flat" not in name]
    if maps and view.cores > 1:
        yield view.finding(
            "tf-data-serial-map",
            TEXT,
            cause="input",
            seconds=waited * (1 - 1 / view.cores),
            where=view.at(told["where"]),
            remedies=["tf-data-parallel-map"],
            basis="modelled",
            maps=len(maps),
            ms=1e3 * waited,
        )
