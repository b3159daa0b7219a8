"""Rank 0 computes a metric in Python in each step, and all others wait for it. Without the straggler: no rank does."""

import argparse

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CASE = {"findings": ["slow-rank"], "without": "straggler"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["straggler"])
parser.add_argument("--steps", type=int, default=400)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(dist.get_rank())
logs = dist.get_rank() == 0 and options.without is None
model = DistributedDataParallel(
    nn.Sequential(nn.Linear(256, 1024), nn.ReLU(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 100))
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(256, 256), torch.randint(0, 100, (256,))
confusion = {}
for _ in range(options.steps):
    optimizer.zero_grad()
    answers = model(x)
    nn.functional.cross_entropy(answers, y).backward()
    optimizer.step()
    if logs:
        for row, label in zip(answers.detach().tolist(), y.tolist(), strict=True):
            for place, guess in enumerate(sorted(range(len(row)), key=row.__getitem__, reverse=True)[:5]):
                confusion[label, guess, place] = confusion.get((label, guess, place), 0) + 1
dist.destroy_process_group()
