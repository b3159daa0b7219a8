"""A residual network that finds defective solar cells in photographs of their glow (electroluminescence)."""

import argparse
import os
import sys
from pathlib import Path

import elpv_dataset
import numpy as np
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

WORKLOAD = {
    "field": "image classification (industrial inspection)",
    "model": "ResNet, sized down: 3 residual blocks, 16 to 64 channels",
    "data": "photographs of solar cells (elpv-dataset; Buerhop-Lutz, Deitsch and others)",
    "size": "2,223 images of 300 x 300 pixels",
    "licence": "CC BY-NC-SA 4.0",
    "bottleneck": "compute; activations in memory",
    "score": "AUC",
    "better": "higher",
    "needs": ["elpv_dataset"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
DATA = Path(elpv_dataset.__file__).parent / "data"
PATIENCE = 4
"""Epochs without a better AUC on the validation images, after which training ends."""
SIDE = 300


def cells():
    """(files, 1 where a cell is defective). Those of which the experts were not sure are left out."""
    rows = [line.split() for line in (DATA / "labels.csv").read_text().splitlines()]
    sure = [(DATA / name, float(chance)) for name, chance, _ in rows if float(chance) in (0.0, 1.0)]
    return np.array([name for name, _ in sure]), np.array([chance for _, chance in sure], dtype=np.float32)


def decoded(file) -> torch.Tensor:
    """(1, 75, 75), each pixel the mean of 4 x 4. Raises `OSError` and `ValueError`."""
    with Image.open(file) as image:
        if image.size != (SIDE, SIDE):
            raise ValueError(f"it has {image.width} x {image.height} pixels")
        return torch.tensor(np.asarray(image.convert("L").reduce(4))).unsqueeze(0)


def normalised(image):
    """Each image with a mean of 0 and a deviation of 1, as exposures differ."""
    image = image.float()
    return (image - image.mean((-2, -1), keepdim=True)) / image.std((-2, -1), keepdim=True).clamp(min=1.0)


class Cells(Dataset):
    """Turned and mirrored at random in training: a cell has no upper side."""

    def __init__(self, files, defective, *, augment: bool, slow: bool = False) -> None:
        self.images = files if slow else [decoded(file) for file in files]
        self.defective = torch.tensor(defective)
        self.augment, self.slow = augment, slow

    def __len__(self) -> int:
        return len(self.defective)

    def __getitem__(self, index: int):
        image = normalised(decoded(self.images[index]) if self.slow else self.images[index])
        if self.augment:
            turns, mirrored = torch.randint(4, ()).item(), torch.randint(2, ()).item()
            image = torch.rot90(image.flip(-1) if mirrored else image, turns, (-2, -1))
        return image, self.defective[index]


class Block(nn.Module):
    """relu(x + f(x)): what f has to learn is the difference, and gradients have a way around it."""

    def __init__(self, before: int, after: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
        self.shortcut = nn.Identity() if before == after else nn.Conv2d(before, after, 1, stride, bias=False)
        nn.init.zeros_(self.norm2.weight)  # it starts as the shortcut alone

    def forward(self, x):
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


def make_model(width: int = 16) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
        Block(width, width), Block(width, 2 * width, stride=2), Block(2 * width, 4 * width, stride=2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * width, 1),
    )  # fmt: skip


@torch.inference_mode()
def chances(model: nn.Module, loader: DataLoader):
    """(n,): how likely each cell is to be defective."""
    model.eval()
    seen = torch.cat([torch.sigmoid(model(x)).squeeze(1) for x, _ in loader])
    model.train()
    return seen.numpy()


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (2 if options.slow else 14)
    torch.manual_seed(0)
    files, defective = cells()
    rest, test = train_test_split(np.arange(len(files)), test_size=0.25, random_state=0, stratify=defective)
    train_part, valid = train_test_split(rest, test_size=0.15, random_state=0, stratify=defective[rest])

    def loader_of(part, *, augment: bool = False) -> DataLoader:
        dataset = Cells(files[part], defective[part], augment=augment, slow=options.slow)
        return DataLoader(dataset, batch_size=32, shuffle=augment, drop_last=augment)

    loader, valid_loader = loader_of(train_part, augment=True), loader_of(valid)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, epochs=epochs, steps_per_epoch=len(loader))
    best, since = 0.0, 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for x, y in loader:
            loss = functional.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        seen = roc_auc_score(defective[valid], chances(model, valid_loader))
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  AUC {seen:.3f}")
        since = 0 if seen > best else since + 1
        if seen > best:
            best = seen
            torch.save(model.state_dict(), options.model)
        if since == PATIENCE:
            break

    darkness = [-decoded(file).float().mean().item() for file in files[test]]
    score = roc_auc_score(defective[test], chances(load(options.model), loader_of(test)))
    guess = roc_auc_score(defective[test], darkness)
    print(f"AUC {score:.3f}  (baseline {guess:.3f}: the darker a cell, the worse)")


def load(path: Path) -> nn.Sequential:
    model = make_model()
    model.load_state_dict(torch.load(path))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument(
        "--slow", action="store_true", help="with a classic mistake: each image is decoded again in each epoch"
    )
    parser.add_argument(
        "--infer", type=Path, metavar="FILE", help="judge the cell in a grey image file of 300 x 300 pixels"
    )
    parser.add_argument("--model", type=Path, default=CACHE / "resnet.pt", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        image = normalised(decoded(options.infer)).unsqueeze(0)
    except (OSError, ValueError) as error:
        parser.error(f"--infer {options.infer} is no image of {SIDE} x {SIDE} pixels: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    with torch.inference_mode():
        chance = torch.sigmoid(load(options.model)(image)).item()
    print(f"{'defective' if chance > 0.5 else 'sound'}  (defective with {chance:.1%})")


if __name__ == "__main__":
    main()
