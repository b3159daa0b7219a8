"""A fully connected network, 10-5-1, on one example, in Keras: what most people's first script looks like."""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported: it says much when it starts

import keras
import numpy as np

WORKLOAD = {
    "field": "the textbook case, in Keras",
    "model": "fully connected 10-5-1, ReLU and sigmoid",
    "data": "the single example x = 1..10 with target 1",
    "size": "10 numbers",
    "licence": "none needed",
    "bottleneck": "overhead",
    "score": "loss",
    "better": "lower",
    "framework": "keras",
    "needs": ["tensorflow"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
GOOD = 0.005
"""The loss at which training ends."""


def make_model() -> keras.Sequential:
    return keras.Sequential([
        keras.Input((10,)),
        keras.layers.Dense(5, activation="relu", bias_initializer=keras.initializers.Constant(0.1)),
        keras.layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def by_hand(model: keras.Sequential, x: np.ndarray) -> float:
    """The forward pass in NumPy: sigmoid(W2 relu(W1 x + b1) + b2). Keras keeps W transposed."""
    w1, b1, w2, b2 = (w.astype(np.float64) for w in model.get_weights())
    hidden = np.maximum(x @ w1 + b1, 0.0)
    return float(1.0 / (1.0 + np.exp(-(hidden @ w2 + b2)))[0])


def normalised(numbers: list[float]) -> np.ndarray:
    return np.array([numbers], dtype="float32") / 10


class GoodEnough(keras.callbacks.Callback):
    """Says how far it is, and ends training at a loss."""

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"]
        if logs["loss"] < GOOD or last or (epoch + 1) % 50 == 0:
            print(f"epoch {epoch + 1}/{self.params['epochs']}  loss {logs['loss']:.4f}")
        if logs["loss"] < GOOD:
            self.model.stop_training = True


def train(options: argparse.Namespace) -> None:
    keras.utils.set_random_seed(0)
    x, y = normalised([float(n) for n in range(1, 11)]), np.ones((1, 1), dtype="float32")
    model = make_model()
    model.compile(keras.optimizers.Adam(0.004), "binary_crossentropy", run_eagerly=options.slow)
    untrained = model.evaluate(x, y, verbose=0)
    assert abs(model.predict(x, verbose=0).item() - by_hand(model, x[0])) < 1e-6

    model.fit(x, y, epochs=options.epochs, verbose=0, callbacks=[GoodEnough()])

    assert abs(model.predict(x, verbose=0).item() - by_hand(model, x[0])) < 1e-6
    options.model.parent.mkdir(parents=True, exist_ok=True)
    model.save(options.model)
    loss = keras.models.load_model(options.model).evaluate(x, y, verbose=0)
    print(f"loss {loss:.4f}  (baseline {untrained:.4f}: the untrained network)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=600, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: run_eagerly=True, left on")
    parser.add_argument(
        "--infer", metavar="NUMBERS", help="answer for ten numbers, as in --infer '1 2 3 4 5 6 7 8 9 10'"
    )
    parser.add_argument("--model", type=Path, default=CACHE / "fcnn.keras", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        numbers = [float(word) for word in options.infer.replace(",", " ").split()]
    except ValueError as error:
        parser.error(f"--infer takes ten numbers: {error}")
    if len(numbers) != 10:
        parser.error(f"--infer takes ten numbers, not {len(numbers)}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    chance = keras.models.load_model(options.model).predict(normalised(numbers), verbose=0).item()
    print(f"{chance:.3f}: {'yes' if chance > 0.5 else 'no'}")


if __name__ == "__main__":
    main()
