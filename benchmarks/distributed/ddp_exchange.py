"""A wide model and a small batch: the gradients are most of the step. Without sync: they stay on their rank."""

import argparse
import contextlib

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CASE = {"row": "communication", "without": "sync", "forecast": True}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["sync"])
parser.add_argument("--steps", type=int, default=300)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(dist.get_rank())
model = DistributedDataParallel(
    nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(64, 512), torch.randint(0, 10, (64,))
for _ in range(options.steps):
    with model.no_sync() if options.without else contextlib.nullcontext():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
dist.destroy_process_group()
