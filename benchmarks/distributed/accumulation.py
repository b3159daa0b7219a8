"""Four micro-batches a step, and the gradients are exchanged in each. Without sync: only in the last, by `no_sync`."""

import argparse
import contextlib

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

MICRO = 4

CASE = {"findings": ["sync-every-micro-batch"], "without": "sync", "remedy": "ddp-no-sync", "forecast": True}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["sync"])
parser.add_argument("--steps", type=int, default=150)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(0)
model = DistributedDataParallel(
    nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
torch.manual_seed(dist.get_rank())
for _ in range(options.steps):
    optimizer.zero_grad()
    for micro in range(MICRO):
        x, y = torch.randn(64, 512), torch.randint(0, 10, (64,))
        quiet = options.without is not None and micro < MICRO - 1
        with model.no_sync() if quiet else contextlib.nullcontext():
            (nn.functional.cross_entropy(model(x), y) / MICRO).backward()
    optimizer.step()
dist.destroy_process_group()
