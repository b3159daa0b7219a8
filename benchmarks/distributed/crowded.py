"""Each rank takes all cores, as a script does that was written for one process. Without the crowd: its share of them."""

import argparse
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CASE = {"findings": ["oversubscription"], "without": "crowd", "remedy": "threads"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["crowd"])
parser.add_argument("--steps", type=int, default=200)
options = parser.parse_args()

dist.init_process_group("gloo")
cores = os.cpu_count() or 1
torch.set_num_threads(cores if options.without is None else max(1, cores // dist.get_world_size()))
torch.manual_seed(dist.get_rank())
model = DistributedDataParallel(
    nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 8 * 8, 10),
    )
)  # fmt: skip
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(64, 3, 32, 32), torch.randint(0, 10, (64,))
for _ in range(options.steps):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
dist.destroy_process_group()
