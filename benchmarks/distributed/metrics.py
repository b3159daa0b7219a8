"""Each step asks all ranks for their loss and 20 metrics, one by one. Without the metrics: it does not."""

import argparse

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CASE = {"findings": ["collective-in-loop", "blocking-metric-reduction"], "without": "metrics"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["metrics"])
parser.add_argument("--steps", type=int, default=250)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(dist.get_rank())
model = DistributedDataParallel(nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 20)))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(128, 256), torch.randint(0, 20, (128,))
seen = []
for _ in range(options.steps):
    optimizer.zero_grad()
    answers = model(x)
    loss = nn.functional.cross_entropy(answers, y)
    loss.backward()
    optimizer.step()
    if options.without is None:
        for value in (loss, *answers.detach().mean(dim=0)):
            total = value.detach().clone()
            dist.all_reduce(total)
            seen.append(total.item())
dist.destroy_process_group()
