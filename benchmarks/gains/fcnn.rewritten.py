"""`@fcnn`, rewritten: one thread, loss and gradients from one compiled function, a fused optimizer.

With `--slow`, a checkpoint is written every 1000 steps and at the end, and not in each step.
"""

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
    parser.add_argument("--slow", action="store_true", help="with checkpoints, but not in each step")
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    x = torch.arange(1.0, 11.0).reshape(1, 10) / 10
    y = torch.ones(1, 1)
    model = nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, fused=True)
    loss_function = nn.BCELoss()
    assert abs(model(x).item() - by_hand(model, x.numpy()[0])) < 1e-6

    parameters = list(model.parameters())
    names = [name for name, _ in model.named_parameters()]
    values = tuple(p.detach() for p in parameters)  # the same memory, which the optimizer updates

    def loss_of(values):
        return loss_function(torch.func.functional_call(model, dict(zip(names, values, strict=True)), (x,)), y)

    # The net is so small that the autograd engine costs more than its sums do.
    gradients_and_loss = torch.compile(torch.func.grad_and_value(loss_of))
    folder = tempfile.TemporaryDirectory()
    for step in range(options.steps):
        with torch.no_grad():
            gradients, loss = gradients_and_loss(values)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        if options.slow and ((step + 1) % 1000 == 0 or step + 1 == options.steps):
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, os.path.join(folder.name, "checkpoint.pt"))

    folder.cleanup()
    print(f"loss {loss.item():.4f}  prediction {model(x).item():.3f}  (target 1, untrained about 0.5)")
    assert abs(model(x).item() - by_hand(model, x.numpy()[0])) < 1e-6


if __name__ == "__main__":
    main()
