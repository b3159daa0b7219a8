"""`tf.random.set_seed` alone does not seed Keras 3, whose initial weights and dropout come from Python's own `random`."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "The seed does not make this job reproducible",
        "It calls tf.random.set_seed, but Keras 3 draws the seeds of its initial weights, dropout and shuffling from Python's"
        " random, which is not seeded: the next run gives other results.",
        "Call keras.utils.set_random_seed(42) instead: it seeds random, NumPy and the backend.",
    ),
    "zh": (
        "设了种子，结果仍不可复现",
        "脚本调用了 tf.random.set_seed，但 Keras 3 的初始权重、dropout 和打乱所用的种子来自 Python 的 random，它没有设种子：下次运行结果会不同。",
        "改用 keras.utils.set_random_seed(42)：它同时给 random、NumPy 和后端设种子。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    seeded = view.process.last("seeds").get("seeded", {})
    keras = "keras.utils.set_random_seed" in seeded or "random.seed" in seeded
    if "tf.random.set_seed" in seeded and not keras and view.process.first("keras"):
        yield view.finding(
            "seed-not-reproducible",
            TEXT,
            cause=None,
            seconds=0.0,
            where=view.at(seeded["tf.random.set_seed"]),
            remedies=["keras-seed"],
        )
