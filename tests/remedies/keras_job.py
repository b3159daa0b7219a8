"""A small job of Keras, and views of one that was looked at."""

from typing import Any

from narrows.findings.view import View
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window

SCRIPT = """
import tensorflow as tf, numpy as np
{before}
from tensorflow import keras
x = np.random.default_rng(0).random((64, 10)).astype("float32")
model = keras.Sequential([keras.layers.Dense(5, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy"{compile})
history = model.fit(x, (x.sum(1) > 5).astype(int), epochs=4, batch_size=16, verbose=0, shuffle=False)
print([round(loss, 5) for loss in history.history["loss"]], int(model.optimizer.iterations))
print({show})
"""
SMALL = window("ops", ops=tuple(op("tf::Relu", tensor(8, 8 + i), out=tensor(8, 8 + i), ms=0.002) for i in range(50)))


def script(show: str = "None", before: str = "", compile: str = "") -> str:
    return SCRIPT.format(show=show, before=before, compile=compile)


def view(*windows: Any, states: dict[str, float] | None = None, cores: int = 2, **events: Any) -> View:
    """A job of Keras on TensorFlow with eight steps in an epoch."""
    told = {
        "keras": {"t": 0, "backend": "tensorflow", "policy": "float32", "version": "3"},
        "tensorflow": {"t": 0, "threads": 2, "version": "2"},
        "trainer": {"run_eagerly": False, "jit_compile": False, "steps_per_execution": 1, "where": None},
        "data": {"adapter": "ArrayDataAdapter", "batches": 8, "where": None},
        "torch": [],
        **events,
    }
    marks = boundaries(**(states or {"graph": 4.0, "trainer": 4.0, "iter": 2.0}))
    return fakes.view(process(marks, *(windows or (SMALL,)), **told), cores=cores)
