"""A wide residual MLP on tabular features, batches cut from tensors in memory."""

import argparse

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        return x + self.down(functional.gelu(self.up(self.norm(x))))


class ResidualMLP(nn.Module):
    def __init__(self, features, classes, width=320, depth=6, recompute=False):
        super().__init__()
        self.recompute = recompute
        self.stem = nn.Linear(features, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.recompute else block(x)
        return self.head(x)


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true")
    return parser.parse_args()


def make_model(args):
    return ResidualMLP(128, 20, recompute=args.checkpoint)


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def make_batches(args):
    features, labels = torch.randn(20_000, 128), torch.randint(20, (20_000,))
    while True:
        rows = torch.randperm(len(features))
        for chosen in rows[: len(rows) // args.batch * args.batch].split(args.batch):
            yield features[chosen], labels[chosen]


def train_step(model, optimizer, batch, args):
    features, labels = batch
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        loss = functional.cross_entropy(model(features), labels)
    loss.backward()
    optimizer.step()
    return loss


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model = make_model(args)
    optimizer = make_optimizer(model)
    batches = make_batches(args)
    for step in range(args.steps):
        loss = train_step(model, optimizer, next(batches), args)
        print(f"step {step}: loss {loss.item():.3f}")
