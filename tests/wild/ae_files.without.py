"""Convolutional autoencoder on spectrograms, one compressed file per clip, all read beforehand."""
import argparse
import pathlib
import shutil
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Clips(Dataset):
    def __init__(self, folder):
        self.files = sorted(pathlib.Path(folder).glob("*.npz"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with np.load(self.files[index]) as f:
            power = f["power"].astype(np.float32)
        mel = np.log1p(power)
        mel = (mel - mel.mean()) / (mel.std() + 1e-5)
        return torch.from_numpy(mel[None])


def write_clips(folder, n):
    rng = np.random.default_rng(0)
    for i in range(n):
        power = rng.gamma(1.0, 40.0, (128, 128)).astype(np.uint16)
        np.savez_compressed(f"{folder}/clip{i:05d}.npz", power=power)


class AutoEncoder(nn.Module):
    def __init__(self, c=8):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(1, c, 4, 4), nn.ReLU(),
            nn.Conv2d(c, 2 * c, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(2 * c, 4 * c, 4, 2, 1), nn.ReLU(),
        )
        self.decode = nn.Sequential(
            nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(2 * c, c, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(c, 1, 4, 4),
        )

    def forward(self, x):
        return self.decode(self.encode(x))


def train(folder, steps):
    loader = DataLoader(Clips(folder), batch_size=32, shuffle=True, drop_last=True)
    loader = list(loader)
    model = AutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.MSELoss()
    running = 0.0
    step, warm = 0, int(steps * 0.3)
    start = time.perf_counter()
    while step < steps:
        for clips in loader:
            loss = loss_fn(model(clips), clips)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running = 0.98 * running + 0.02 * loss.item()
            step += 1
            if step == warm:
                start = time.perf_counter()
            if step == steps:
                break
    return (time.perf_counter() - start) / (steps - warm)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--clips", type=int, default=640)
    args = parser.parse_args()
    torch.manual_seed(0)
    folder = tempfile.mkdtemp(prefix="clips")
    try:
        write_clips(folder, args.clips)
        print(f"STEPTIME {train(folder, args.steps):.6f}")
    finally:
        shutil.rmtree(folder)
