"""A `tf.data` pipeline that the step waits for does its work in turn, where it could do it beside the step."""

from collections.abc import Iterator, Mapping
from typing import Any

from narrows.findings.view import Text, View
from narrows.report.model import Finding

WAITS = 0.05
"""Share of the step spent waiting for input."""
PREFETCH: Text = {
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
MAP: Text = {
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
CACHE: Text = {
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
    waited = view.steady.seconds["next"]
    if view.share(waited) < WAITS:
        return
    for told in view.process.events.get("pipeline", ())[:1]:
        yield from _found(view, told, waited)


def _found(view: View, told: Mapping[str, Any], waited: float) -> Iterator[Finding]:
    names = [name for name, _ in told["stages"]]
    if any("Generator" in name for name in names):  # Python makes the elements: that is another finding's
        return
    where, rest = view.at(told["where"]), max(0.0, view.step - waited)
    ran = [name for event in view.process.events.get("graphs", ()) for name, *_ in event["stages"]]
    if not any("Prefetch" in name for name in (*names, *ran)):
        yield view.finding("tf-data-no-prefetch", PREFETCH, cause="input", seconds=min(waited, rest), where=where,
                           remedies=["tf-data-prefetch"], basis="modelled", ms=1e3 * waited)  # fmt: skip
    serial = [name for name in names if "Map" in name and "Parallel" not in name and "Flat" not in name]
    if serial and view.cores > 1:
        yield view.finding("tf-data-serial-map", MAP, cause="input", seconds=waited * (1 - 1 / view.cores), where=where,
                           remedies=["tf-data-parallel-map"], basis="modelled", ms=1e3 * waited,
                           maps=len(serial))  # fmt: skip
    times = view.process.last("started").get("times", 0)
    if times > 1 and any("Map" in name for name in names) and not any("Cache" in name for name in names):
        yield view.finding("tf-data-no-cache", CACHE, cause="input", seconds=waited, where=where, basis="modelled",
                           ms=1e3 * waited, times=times)  # fmt: skip
