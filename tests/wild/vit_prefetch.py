WILD = {"cause": "input", "note": "a thread of the script's own that makes batches beside the step; one fixed batch instead"}
"""A small vision transformer fed by our own prefetch thread."""
import argparse
import queue
import threading
import time

import numpy as np
import torch
from torch import nn


class ViT(nn.Module):
    def __init__(self, size=64, patch=8, dim=96, depth=3, heads=4, classes=20):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, heads, dim * 2, 0.0, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        return self.head(self.encoder(x)[:, 0])


class Prefetcher(threading.Thread):
    """Builds augmented batches in the background, a few ahead."""

    def __init__(self, images, labels, batch, size=64, ahead=4):
        super().__init__(daemon=True)
        self.images, self.labels = images, labels
        self.batch, self.size = batch, size
        self.rng = np.random.default_rng(0)
        self.queue = queue.Queue(maxsize=ahead)

    def crop(self, image):
        side = int(self.rng.integers(48, image.shape[0]))
        y, x = self.rng.integers(0, image.shape[0] - side, 2)
        grid = np.linspace(0, side - 1, self.size)
        lo = np.floor(grid).astype(int)
        hi = np.minimum(lo + 1, side - 1)
        w = (grid - lo)[:, None, None]
        part = image[y : y + side, x : x + side].astype(np.float64)
        rows = part[lo] * (1 - w) + part[hi] * w
        w = (grid - lo)[None, :, None]
        return rows[:, lo] * (1 - w) + rows[:, hi] * w

    def jitter(self, image):
        for c in self.rng.permutation(3):
            image[:, :, c] *= self.rng.uniform(0.8, 1.2)
        grey = image @ np.array([0.299, 0.587, 0.114])
        image = grey[:, :, None] + (image - grey[:, :, None]) * self.rng.uniform(0.5, 1.5)
        image = image + self.rng.normal(0, 4, image.shape)
        return np.clip(image, 0, 255)

    def one(self, index):
        image = self.jitter(self.crop(self.images[index]))
        if self.rng.random() < 0.5:
            image = image[:, ::-1]
        return (image / 127.5 - 1).transpose(2, 0, 1)

    def make_batch(self):
        picked = self.rng.integers(0, len(self.images), self.batch)
        x = np.stack([self.one(i) for i in picked]).astype(np.float32)
        return torch.from_numpy(x), torch.from_numpy(self.labels[picked])

    def run(self):
        while True:
            self.queue.put(self.make_batch())

    def next(self):
        return self.queue.get()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=250)
    ap.add_argument("--batch", type=int, default=32)
    args = ap.parse_args()
    torch.manual_seed(0)

    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (400, 96, 96, 3), dtype=np.uint8)
    labels = rng.integers(0, 20, 400)
    feed = Prefetcher(images, labels, args.batch)
    feed.start()

    model = ViT()
    opt = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.05)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)

    warm = int(args.steps * 0.3)
    start = time.perf_counter()
    for step in range(args.steps):
        if step == warm:
            start = time.perf_counter()
        x, y = feed.next()
        opt.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        opt.step()
    print(f"STEPTIME {(time.perf_counter() - start) / (args.steps - warm):.6f}")


if __name__ == "__main__":
    main()
