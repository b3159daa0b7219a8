"""Tabular regression with a deep residual MLP and an exponential moving average of the weights."""
import argparse
import copy
import time
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    steps: int = 2200
    batch: int = 64
    features: int = 40
    width: int = 48
    depth: int = 24
    lr: float = 0.01
    ema_decay: float = 0.999


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))


class ResMLP(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.stem = nn.Linear(cfg.features, cfg.width)
        self.blocks = nn.Sequential(*[Block(cfg.width) for _ in range(cfg.depth)])
        self.head = nn.Linear(cfg.width, 1)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x))).squeeze(-1)


@torch.no_grad()
def update_ema(ema_model, model, decay):
    ema = dict(ema_model.named_parameters())
    for name, param in model.named_parameters():
        ema[name].mul_(decay).add_(param.detach() * (1 - decay))


def train(cfg):
    torch.manual_seed(0)
    x = torch.randn(20_000, cfg.features)
    y = (x[:, :5].prod(1) + x[:, 5]).tanh()

    model = ResMLP(cfg)
    ema_model = copy.deepcopy(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=0.9)

    def batches():
        while True:
            for index in torch.randperm(len(x)).split(cfg.batch):
                yield x[index], y[index]

    def train_step(xb, yb):
        loss = nn.functional.mse_loss(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    warm = int(cfg.steps * 0.3)
    start = time.perf_counter()
    for step, (xb, yb) in enumerate(batches(), 1):
        train_step(xb, yb)
        if step == warm:
            start = time.perf_counter()
        if step >= cfg.steps:
            break
    return (time.perf_counter() - start) / (cfg.steps - warm)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=Config.steps)
    print(f"STEPTIME {train(Config(steps=parser.parse_args().steps)):.6f}")
