"""Keras and TensorFlow jobs, the whole way: their output is their own, and the ledger explains their steps."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.diagnosing import check_ledger, narrows
from tests.cli.keras_jobs import ids, job

pytest.importorskip("tensorflow")
pytest.importorskip("keras")

LISTING = """
import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
tf.random.set_seed(42)
X = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]])
y = np.array([1])
model = Sequential([Dense(5, activation='relu', input_shape=(10,)), Dense(1, activation='sigmoid')])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
model.fit(X, y, epochs=100)
print(model.predict(X))
"""
TAPE = """
import tensorflow as tf
import keras
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.01)
x = tf.random.normal((640, 16))
data = tf.data.Dataset.from_tensor_slices((x, tf.reduce_sum(x, 1, keepdims=True))).batch(16).repeat(4)
{function}
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss
for a, b in data:
    loss = step(a, b)
print(float(loss))
"""


def test_the_listing_runs_as_it_is_and_is_told_that_its_seed_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "listing.py").write_text(LISTING)
    done, report = narrows(tmp_path, "listing.py")
    assert done.returncode == 0
    assert done.stdout.count("accuracy:") >= 100
    assert done.stdout.rstrip().endswith("]]")
    shares = check_ledger(report)
    assert report["step"]["count"] == 100
    assert report["job"]["framework"]["name"] == "keras"
    assert shares["input"] + shares["overhead"] > 0.9
    assert {"seed-not-reproducible", "short-epochs"} <= ids(report)
    assert (tmp_path / "listing.py").read_text() == LISTING


def test_several_steps_in_a_call_are_several_steps(tmp_path: Path) -> None:
    _, report = narrows(tmp_path, job(tmp_path, compile=", steps_per_execution=5"))
    check_ledger(report)
    assert report["step"]["count"] == 200


def test_eager_execution_is_seen_inside_and_named(tmp_path: Path) -> None:
    _, report = narrows(tmp_path, job(tmp_path, compile=", run_eagerly=True"))
    check_ledger(report)
    assert report["step"]["count"] == 200
    assert min(report["phases"][name] for name in ("forward", "backward", "optimizer")) > 0
    assert "run-eagerly" in ids(report)


def test_a_prediction_is_an_inference(tmp_path: Path) -> None:
    text = "import numpy, keras\nmodel = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64)])\n"
    (tmp_path / "serve.py").write_text(text + "print(model.predict(numpy.ones((6400, 64)), verbose=0).shape)\n")
    done, report = narrows(tmp_path, "serve.py")
    assert done.stdout == "(6400, 64)\n"
    check_ledger(report)
    assert (report["job"]["type"], report["step"]["count"]) == ("inference", 200)


@pytest.mark.parametrize("function", ["@tf.function", ""])
def test_a_loop_with_a_tape(tmp_path: Path, function: str) -> None:
    (tmp_path / "train.py").write_text(TAPE.replace("{function}", function))
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0
    check_ledger(report)
    assert (report["job"]["type"], report["step"]["count"]) == ("training", 160)
    assert report["health"]["loss_last"] < report["health"]["loss_first"]
    assert ("run-eagerly" in ids(report)) == (not function)


def test_the_numbers_are_those_of_the_job_alone(tmp_path: Path) -> None:
    script = job(tmp_path)
    alone = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True,
                           timeout=200)  # fmt: skip
    done, _ = narrows(tmp_path, script)
    assert done.stdout == alone.stdout
    assert "profiler" not in done.stderr  # what TensorFlow says of our recording is not the job's to say


def test_what_fit_cannot_do_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(LISTING)
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "fit", "--quiet", "train.py"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "narrows: fit follows the tensors of PyTorch, and this job's are TensorFlow's"
    )
    assert "Traceback" not in done.stderr
