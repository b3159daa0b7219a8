"""`dlrm.py` with Accelerate and its mixed precision."""

import bf16
import torch
from accelerate import Accelerator
from torch import nn


class DLRM(nn.Module):
    def __init__(self, tables=(60000, 40000, 20000), dim=32, dense=13):
        super().__init__()
        self.tables = nn.ModuleList([nn.EmbeddingBag(n, dim, mode="sum") for n in tables])
        self.bottom = nn.Sequential(nn.Linear(dense, 64), nn.ReLU(), nn.Linear(64, dim), nn.ReLU())
        self.top = nn.Sequential(nn.Linear(dim + 6, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, dense, sparse):
        x = self.bottom(dense)
        z = torch.stack([x] + [t(s) for t, s in zip(self.tables, sparse, strict=True)], dim=1)
        inter = torch.bmm(z, z.transpose(1, 2))
        i, j = torch.triu_indices(4, 4, offset=1)
        return self.top(torch.cat([x, inter[:, i, j]], dim=1)).squeeze(1)


torch.manual_seed(0)
model = DLRM()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
accelerator = Accelerator(mixed_precision="bf16" if bf16.FAST else "no", cpu=True)
model, optimizer = accelerator.prepare(model, optimizer)
loss_fn = nn.BCEWithLogitsLoss()
batches = [
    (
        torch.randn(128, 13),
        [torch.randint(0, n, (128, 4)) for n in (60000, 40000, 20000)],
        torch.randint(0, 2, (128,)).float(),
    )
    for _ in range(20)
]
for epoch in range(15):
    for dense, sparse, click in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(dense, sparse), click)
        accelerator.backward(loss)
        optimizer.step()
    print(epoch, loss.item())
