"""Rank 1 reads from a slower disk: each of its batches comes 15 ms later. Without the straggler: as fast as the others."""

import argparse
import time

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset, DistributedSampler

CASE = {"findings": ["slow-rank", "data-imbalance"], "without": "straggler"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["straggler"])
parser.add_argument("--steps", type=int, default=250)
options = parser.parse_args()


class Images(Dataset):
    def __len__(self) -> int:
        return 64 * options.steps

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if slow and index // dist.get_world_size() % 32 == 0:
            time.sleep(0.015)
        return pixels[index % len(pixels)], index % 10


dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(0)
slow = dist.get_rank() == 1 and options.without is None
pixels = torch.randn(512, 256)
data = Images()
loader = DataLoader(data, batch_size=32, sampler=DistributedSampler(data, shuffle=False))
model = DistributedDataParallel(
    nn.Sequential(nn.Linear(256, 1024), nn.ReLU(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 10))
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for x, y in loader:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
dist.destroy_process_group()
