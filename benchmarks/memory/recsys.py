"""Click prediction: large embedding tables with dense gradients, a cross network and an MLP, under Adam."""

import argparse

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

TABLES, DIM, BAG, DENSE = (300_000, 300_000, 250_000, 200_000, 150_000, 100_000, 50_000, 20_000), 32, 4, 13


class CrossLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x0, x):
        return x0 * self.linear(x) + x


class Clicks(nn.Module):
    def __init__(self, recompute=False):
        super().__init__()
        self.recompute = recompute
        self.tables = nn.ModuleList([nn.EmbeddingBag(rows, DIM, mode="sum") for rows in TABLES])
        self.bottom = nn.Sequential(nn.Linear(DENSE, 128), nn.ReLU(), nn.Linear(128, DIM), nn.ReLU())
        width = DIM * (len(TABLES) + 1)
        self.crosses = nn.ModuleList([CrossLayer(width) for _ in range(4)])
        self.top = nn.Sequential(nn.Linear(width, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 1))

    def forward(self, dense, sparse):
        looked_up = [table(ids) for table, ids in zip(self.tables, sparse.unbind(1), strict=True)]
        x0 = x = torch.cat([self.bottom(dense), *looked_up], dim=1)
        for cross in self.crosses:
            x = checkpoint(cross, x0, x, use_reentrant=False) if self.recompute else cross(x0, x)
        return self.top(x).squeeze(1)


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true", help="recomputes the cross layers")
    return parser.parse_args()


def make_model(args):
    return Clicks(recompute=args.checkpoint)


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def make_batches(args):
    rows = torch.tensor(TABLES).view(1, -1, 1)
    while True:
        sparse = (torch.rand(args.batch, len(TABLES), BAG) * rows).long()
        yield torch.randn(args.batch, DENSE), sparse, torch.randint(2, (args.batch,)).float()


def train_step(model, optimizer, batch, args):
    dense, sparse, clicked = batch
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        loss = nn.functional.binary_cross_entropy_with_logits(model(dense, sparse), clicked)
    loss.backward()
    optimizer.step()
    return loss


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model = make_model(args)
    optimizer = make_optimizer(model)
    for step, batch in zip(range(args.steps), make_batches(args), strict=False):
        loss = train_step(model, optimizer, batch, args)
        print(f"step {step}: loss {loss.item():.3f}")
