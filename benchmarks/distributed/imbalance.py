"""Sentences are sorted by length and cut in two, so rank 1 has the long ones. Without the imbalance: they are dealt out."""

import argparse

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

CASE = {"findings": ["data-imbalance", "slow-rank"], "without": "imbalance"}

parser = argparse.ArgumentParser()
parser.add_argument("--without", choices=["imbalance"])
parser.add_argument("--steps", type=int, default=150)
options = parser.parse_args()

dist.init_process_group("gloo")
torch.set_num_threads(1)
torch.manual_seed(0)
rank, ranks = dist.get_rank(), dist.get_world_size()
lengths = torch.randint(8, 96, (ranks * options.steps,)).tolist()
if options.without is None:
    lengths.sort()
    mine = [lengths[rank * options.steps + i] for i in torch.randperm(options.steps).tolist()]
else:
    lengths = sorted(lengths)  # neighbours are of nearly the same length
    mine = [lengths[rank + ranks * i] for i in torch.randperm(options.steps).tolist()]


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(2000, 128)
        self.layers = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(128, 4, 256, batch_first=True), 2, enable_nested_tensor=False
        )
        self.answer = nn.Linear(128, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.answer(self.layers(self.words(tokens)).mean(dim=1))


model = DistributedDataParallel(Reader())
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for length in mine:
    tokens, y = torch.randint(0, 2000, (16, length)), torch.randint(0, 2, (16,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(tokens), y).backward()
    optimizer.step()
dist.destroy_process_group()
