"""`@digits`, rewritten: a batch is augmented at once, bfloat16 autocast, channels last, a fused optimizer.

With `--slow` it is the same, as the noise of all pixels is drawn at once.
"""

import argparse

import bf16
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def prepare(images, labels):
    images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    return nn.functional.interpolate(images, size=(16, 16), mode="bilinear"), torch.tensor(labels)


def augment(images):
    """Each image moved by up to two pixels, those that fall out come in at the other side, and noise."""
    count = len(images)
    line = torch.arange(16)
    dx, dy = torch.randint(-2, 3, (2, count, 1))
    rows, columns = (line - dy) % 16, (line - dx) % 16
    moved = images[torch.arange(count)[:, None, None], 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)
    return moved + 0.05 * torch.randn_like(moved)


def accuracy(model, images, labels) -> float:
    model.eval()
    with torch.inference_mode():
        right = sum(
            (model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(256), labels.split(256), strict=True)
        )
    model.train()
    return right / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--slow", action="store_true", help="as many epochs as the slow variant has")
    options = parser.parse_args()
    epochs = options.epochs or (2 if options.slow else 8)

    torch.manual_seed(0)
    data = load_digits()
    parts = train_test_split(data.images, data.target, test_size=0.2, random_state=0, stratify=data.target)
    images, labels = prepare(parts[0], parts[2])
    test = prepare(parts[1], parts[3])
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128 * 16, 10),
    ).to(memory_format=torch.channels_last)  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    for epoch in range(epochs):
        for chosen in torch.randperm(len(images)).split(64):
            batch = augment(images[chosen]).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16.FAST):
                loss = nn.functional.cross_entropy(model(batch), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  accuracy {accuracy(model, *test):.3f}")
    print(f"accuracy {accuracy(model, *test):.3f}  (always guessing the commonest digit: 0.10)")


if __name__ == "__main__":
    main()
