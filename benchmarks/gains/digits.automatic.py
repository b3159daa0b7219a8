"""`@digits` with Accelerate and its mixed precision."""

import argparse

import bf16
import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Digits(Dataset):
    """Digits scaled up to 16 x 16 and, in training, moved by up to two pixels and made noisy."""

    def __init__(self, images, labels, *, augment: bool, slow: bool) -> None:
        images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
        self.images = nn.functional.interpolate(images, size=(16, 16), mode="bilinear")
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


def accuracy(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    model.train()
    return right / len(loader.dataset)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: augmentation pixel by pixel")
    options = parser.parse_args()
    epochs = options.epochs or (2 if options.slow else 8)

    torch.manual_seed(0)
    data = load_digits()
    parts = train_test_split(data.images, data.target, test_size=0.2, random_state=0, stratify=data.target)
    train = DataLoader(Digits(parts[0], parts[2], augment=True, slow=options.slow), batch_size=64, shuffle=True)
    test = DataLoader(Digits(parts[1], parts[3], augment=False, slow=False), batch_size=256)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128 * 16, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    accelerator = Accelerator(mixed_precision="bf16" if bf16.FAST else "no", cpu=True)
    model, optimizer, train, test = accelerator.prepare(model, optimizer, train, test)
    for epoch in range(epochs):
        for images, labels in train:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  accuracy {accuracy(model, test):.3f}")
    print(f"accuracy {accuracy(model, test):.3f}  (always guessing the commonest digit: 0.10)")


if __name__ == "__main__":
    main()
