"""A fully connected network, 10-5-1, on one example: the textbook case, small enough to check by hand."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

WORKLOAD = {
    "field": "the textbook case",
    "model": "fully connected 10-5-1, ReLU and sigmoid",
    "data": "the single example x = 1..10 with target 1",
    "size": "10 numbers",
    "licence": "none needed",
    "bottleneck": "overhead",
    "score": "loss",
    "better": "lower",
    "needs": [],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
GOOD = 0.002
"""The loss at which training ends."""


def make_model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid())


def by_hand(model: nn.Sequential, x: np.ndarray) -> float:
    """The forward pass in NumPy: sigmoid(W2 relu(W1 x + b1) + b2)."""
    w1, b1, w2, b2 = (p.detach().numpy().astype(np.float64) for p in model.parameters())
    hidden = np.maximum(w1 @ x + b1, 0.0)
    return float(1.0 / (1.0 + np.exp(-(w2 @ hidden + b2)))[0])


def normalised(numbers: list[float]) -> torch.Tensor:
    return torch.tensor([numbers]) / 10


def train(options: argparse.Namespace) -> None:
    torch.manual_seed(0)
    x, y = normalised([float(n) for n in range(1, 11)]), torch.ones(1, 1)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_function = nn.BCELoss()
    untrained = loss_function(model(x), y).item()
    assert abs(model(x).item() - by_hand(model, x.numpy()[0])) < 1e-6

    folder = tempfile.TemporaryDirectory()
    for step in range(options.steps):
        prediction = model(x)
        loss = loss_function(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if options.slow:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, os.path.join(folder.name, "checkpoint.pt"))
        if (step + 1) % 1000 == 0:
            print(f"step {step + 1}/{options.steps}  loss {loss.item():.4f}")
            if loss.item() < GOOD:
                break
    folder.cleanup()

    assert abs(model(x).item() - by_hand(model, x.numpy()[0])) < 1e-6
    options.model.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), options.model)
    loss = loss_function(load(options.model)(x), y).item()
    print(f"loss {loss:.4f}  (baseline {untrained:.4f}: the untrained network)")


def load(path: Path) -> nn.Sequential:
    model = make_model()
    model.load_state_dict(torch.load(path))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=12000, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: a checkpoint in each step")
    parser.add_argument(
        "--infer", metavar="NUMBERS", help="answer for ten numbers, as in --infer '1 2 3 4 5 6 7 8 9 10'"
    )
    parser.add_argument("--model", type=Path, default=CACHE / "fcnn.pt", help="where the trained network is kept")
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
    with torch.inference_mode():
        chance = load(options.model)(normalised(numbers)).item()
    print(f"{chance:.3f}: {'yes' if chance > 0.5 else 'no'}")


if __name__ == "__main__":
    main()
