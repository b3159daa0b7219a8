"""A Keras job with places for what may slow it down."""

from pathlib import Path
from typing import Any

FIT = """
import time
import numpy as np
import keras
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True){compile})
x, y = np.random.rand(1600, 64).astype("float32"), np.random.randint(0, 10, 1600)
def batches():
    while True:
        {sleep}
        yield x[:32], y[:32]
class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        {callback}
history = model.fit({data}, epochs=4, verbose=0, callbacks=[Slow()])
print(history.history["loss"])
"""


def job(folder: Path, **parts: str) -> str:
    parts = {"compile": "", "sleep": "pass", "callback": "pass", "data": "x, y, batch_size=32", **parts}
    text = FIT
    for name, value in parts.items():
        text = text.replace("{" + name + "}", value)
    (folder / "train.py").write_text(text)
    return "train.py"


def ids(report: dict[str, Any]) -> set[str]:
    return {finding["id"] for finding in report["findings"]}
