"""One process makes its samples in Python, while the other core has nothing to do. Run as two that share each batch."""

import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

CASE = {"remedy": "distribute"}


class Rows(Dataset):
    def __len__(self):
        return 2048

    def __getitem__(self, index):
        row = [((index * 7919 + column * 104729) % 1000) / 1000 for column in range(3000)]
        return torch.tensor(row), torch.tensor(sum(row[:10]))


parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
options = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3000, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
loader = DataLoader(Rows(), batch_size=64, shuffle=True)
for _ in range(options.epochs):
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
