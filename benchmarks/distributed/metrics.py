"""Each step asks all ranks for their loss and 20 metrics, one by one. Without the loop: for all of them at once."""

import argparse

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CASE = {"findings": ["collective-in-loop", "blocking-metric-reduction"], "without": "loop"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["loop"])
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
    metrics = (loss.detach(), *answers.detach().mean(dim=0))
    if options.without is not None:
        together = torch.stack(metrics)
        dist.all_reduce(together)
        seen += together.tolist()
        continue
    for value in metrics:
        total = value.clone()
        dist.all_reduce(total)
        seen.append(total.item())
dist.destroy_process_group()
