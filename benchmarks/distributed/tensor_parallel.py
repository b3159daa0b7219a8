"""Each layer is cut in two, so activations go between the ranks in each. Without sync: each rank keeps what it has."""

import argparse

import torch
import torch.distributed as dist
import torch.distributed._functional_collectives as functional
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

CASE = {"row": "communication", "without": "sync"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["sync"])
parser.add_argument("--steps", type=int, default=200)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(0)
if options.without is not None:
    functional.all_reduce = lambda tensor, *_, **__: tensor


class Block(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(256, hidden), nn.Linear(hidden, 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.down(torch.relu(self.up(x)))


model = nn.Sequential(*[Block(1024) for _ in range(4)])
plan = {f"{i}.{name}": how() for i in range(4) for name, how in (("up", ColwiseParallel), ("down", RowwiseParallel))}
model = parallelize_module(model, init_device_mesh("cpu", (dist.get_world_size(),)), plan)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(256, 256), torch.randn(256, 256)
for _ in range(options.steps):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
dist.destroy_process_group()
