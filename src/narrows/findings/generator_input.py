"""Keras is fed by a Python generator, which makes its batches one at a time under the interpreter's lock."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "A Python generator makes the batches",
        "{ms:.2f} ms of each step waits for the generator, which runs on one thread and takes turns with Keras' own Python.",
        "Make it a keras.utils.PyDataset with workers={workers} (use_multiprocessing=True if it is Python that is slow),"
        " or a tf.data pipeline.",
    ),
    "zh": (
        "用 Python 生成器产生批数据",
        "每一步有 {ms:.2f} 毫秒在等生成器；它只有一个线程，还要和 Keras 自己的 Python 轮流执行。",
        "改成 keras.utils.PyDataset 并设 workers={workers}（慢在 Python 时用 use_multiprocessing=True），或 tf.data 流水线。",
    ),
}
SLOW = ("GeneratorDataAdapter", "PyDatasetAdapter")


def find(view: View) -> Iterator[Finding]:
    waited = view.steady.seconds["next"]
    told = view.process.first("data")
    alone = (told.get("workers") or 1) <= 1
    if told.get("adapter") in SLOW and alone and view.share(waited) > 0.05:
        workers = max(2, view.cores)
        yield view.finding(
            "generator-input",
            TEXT,
            cause="input",
            seconds=waited * (1 - 1 / workers),
            where=view.at(told["where"]),
            basis="modelled",
            ms=1e3 * waited,
            workers=workers,
        )
