"""`@fcnn` with what a line each can change: one thread, a compiled model, a fused optimizer."""

import argparse
import os
import tempfile

import numpy as np
import torch
from torch import nn


def by_hand(model: nn.Sequential, x: np.ndarray) -> float:
    """The forward pass in NumPy: sigmoid(W2 relu(W1 x + b1) + b2)."""
    w1, b1, w2, b2 = (p.detach().numpy().astype(np.float64) for p in model.parameters())
    hidden = np.maximum(w1 @ x + b1, 0.0)
    return float(1.0 / (1.0 + np.exp(-(w2 @ hidden + b2)))[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: a checkpoint in each step")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.arange(1.0, 11.0).reshape(1, 10) / 10
    y = torch.ones(1, 1)
    model = nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid())
    model.compile()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, fused=True)
    loss_function = nn.BCELoss()
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

    folder.cleanup()
    print(f"loss {loss.item():.4f}  prediction {model(x).item():.3f}  (target 1, untrained about 0.5)")
    assert abs(model(x).item() - by_hand(model, x.numpy()[0])) < 1e-6


if __name__ == "__main__":
    main()
