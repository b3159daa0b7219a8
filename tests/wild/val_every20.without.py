"""Small residual CNN on 32x32 images (never validated)."""
import argparse
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


def conv_bn(cin, cout, stride=1):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout))


class Res(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a, self.b = conv_bn(c, c), conv_bn(c, c)

    def forward(self, x):
        return F.relu(x + self.b(F.relu(self.a(x))))


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(3, 16, 2), nn.ReLU(), Res(16), conv_bn(16, 32, 2), nn.ReLU(), Res(32)
        )
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


class Trainer:
    def __init__(self, model, train_set, val_set, steps, val_every=20, val_batches=6):
        self.model = model
        self.train_loader = DataLoader(train_set, batch_size=64, shuffle=True, drop_last=True)
        self.val_loader = DataLoader(val_set, batch_size=256)
        self.steps = steps
        self.val_every = val_every
        self.val_batches = val_batches
        self.best = 0.0
        self.opt = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def cycle(self):
        while True:
            yield from self.train_loader

    def optimize(self, images, labels):
        loss = F.cross_entropy(self.model(images), labels)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        right = total = 0
        for i, (images, labels) in enumerate(self.val_loader):
            if i == self.val_batches:
                break
            right += (self.model(images).argmax(1) == labels).sum().item()
            total += len(labels)
        self.model.train()
        return right / total

    def train(self):
        warm = int(self.steps * 0.3)
        start = time.perf_counter()
        self.model.train()
        for step, (images, labels) in enumerate(self.cycle(), 1):
            self.optimize(images, labels)
            if step == warm:
                start = time.perf_counter()
            if step == self.steps:
                break
        return (time.perf_counter() - start) / (self.steps - warm)


def images(n):
    return TensorDataset(torch.randn(n, 3, 32, 32), torch.randint(0, 10, (n,)))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=800)
    args = ap.parse_args()
    torch.manual_seed(0)
    trainer = Trainer(Net(), images(8192), images(2048), args.steps)
    print(f"STEPTIME {trainer.train():.6f}")


if __name__ == "__main__":
    main()
