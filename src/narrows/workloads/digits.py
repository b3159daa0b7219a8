"""A convolutional network that reads handwritten digits, with augmentation."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

WORKLOAD = {
    "field": "image classification",
    "model": "convolutional network, 3 layers",
    "data": "handwritten digits (scikit-learn; Alpaydin and Kaynak)",
    "size": "1,797 images of 8 x 8 pixels",
    "licence": "CC BY 4.0",
    "bottleneck": "input, compute",
    "score": "accuracy",
    "better": "higher",
    "needs": [],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 3
"""Epochs without a better accuracy on the validation images, after which training ends."""


def normalised(images):
    """(n, 8, 8) of 0 to 16 -> (n, 1, 16, 16) of 0 to 1."""
    images = torch.tensor(np.asarray(images), dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    return nn.functional.interpolate(images, size=(16, 16), mode="bilinear")


class Digits(Dataset):
    """Digits scaled up to 16 x 16 and, in training, moved by up to two pixels and made noisy."""

    def __init__(self, images, labels, *, augment: bool, slow: bool = False) -> None:
        self.images = normalised(images)
        self.labels = torch.tensor(labels)
        self.augment = augment
        self.slow = slow

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        image = self.images[index]
        if self.augment:
            dx, dy = torch.randint(-2, 3, (2,)).tolist()
            image = torch.roll(image, (dy, dx), dims=(1, 2))
            image = self.noise_by_pixel(image) if self.slow else image + 0.05 * torch.randn_like(image)
        return image, self.labels[index]

    def noise_by_pixel(self, image):
        noisy = image.clone()
        for row in range(16):
            for column in range(16):
                noisy[0, row, column] += 0.05 * torch.randn(()).item()
        return noisy


def make_model() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128 * 16, 10),
    )  # fmt: skip


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    model.train()
    return right / len(loader.dataset)


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (2 if options.slow else 12)
    torch.manual_seed(0)
    data = load_digits()
    rest, test = train_test_split(np.arange(len(data.target)), test_size=0.2, random_state=0, stratify=data.target)
    train_part, valid = train_test_split(rest, test_size=0.1, random_state=0, stratify=data.target[rest])
    loader = DataLoader(
        Digits(data.images[train_part], data.target[train_part], augment=True, slow=options.slow),
        batch_size=64, shuffle=True,
    )  # fmt: skip
    valid_loader = DataLoader(Digits(data.images[valid], data.target[valid], augment=False), batch_size=256)
    test_loader = DataLoader(Digits(data.images[test], data.target[test], augment=False), batch_size=256)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    best, since = 0.0, 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seen = accuracy(model, valid_loader)
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  accuracy {seen:.3f}")
        since = 0 if seen > best else since + 1
        if seen > best:
            best = seen
            torch.save(model.state_dict(), options.model)
        if since == PATIENCE:
            break

    labels = data.target[test]
    commonest = (labels == np.bincount(data.target[train_part]).argmax()).mean()
    score = accuracy(load(options.model), test_loader)
    print(f"accuracy {score:.3f}  (baseline {commonest:.3f}: always the commonest digit)")


def load(path: Path) -> nn.Sequential:
    model = make_model()
    model.load_state_dict(torch.load(path))
    return model.eval()


def read(path: Path):
    """An image of 8 lines of 8 numbers from 0 to 16. Raises `OSError` and `ValueError`."""
    image = np.loadtxt(path, ndmin=2)
    if image.shape != (8, 8):
        raise ValueError(f"it holds {' x '.join(map(str, image.shape))} numbers")
    return normalised(image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: augmentation pixel by pixel")
    parser.add_argument(
        "--infer", type=Path, metavar="FILE", help="read the digit in a file of 8 lines of 8 numbers, 0-16"
    )
    parser.add_argument("--model", type=Path, default=CACHE / "digits.pt", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        image = read(options.infer)
    except (OSError, ValueError) as error:
        parser.error(f"{options.infer} is no image of 8 lines of 8 numbers: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    with torch.inference_mode():
        chances = nn.functional.softmax(load(options.model)(image)[0], dim=0)
    print(f"{chances.argmax().item()}  ({chances.max().item():.1%} sure)")


if __name__ == "__main__":
    main()
