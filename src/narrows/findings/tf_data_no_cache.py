"""A `tf.data` pipeline maps the same elements again in each epoch."""

from collections.abc import Iterator

from narrows.findings.tf_data import stages, waited_for
from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "tf.data makes each epoch's elements anew",
        "The pipeline was started {times} times, maps its elements each time, and keeps none; the step waits {ms:.2f} ms.",
        "Put .cache() behind the last map that has no randomness in it, if the elements fit into memory.",
    ),
    "zh": (
        "tf.data 每轮都重新生成元素",
        "流水线启动了 {times} 次，每次都重新 map，没有缓存；每一步等 {ms:.2f} 毫秒。",
        "如果元素放得进内存，在最后一个不含随机性的 map 之后加 .cache()。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    told, waited = waited_for(view), view.steady.seconds["next"]
    times, names = view.process.last("started").get("times", 0), stages(told)
    if times > 1 and any("Map" in name for name in names) and not any("Cache" in name for name in names):
        yield view.finding(
            "tf-data-no-cache",
            TEXT,
            cause="input",
            seconds=waited,
            where=view.at(told["where"]),
            basis="modelled",
            times=times,
            ms=1e3 * waited,
        )
