WILD = {"cause": "overhead", "finding": "optimizer-loop", "note": "an optimizer that loops over 200 small parameters (foreach=False); fused instead"}
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def build(fused):
    torch.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(100) for m in (nn.Linear(16, 16), nn.Tanh())], nn.Linear(16, 1))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, foreach=False, fused=fused)

accelerator = Accelerator(cpu=True)
model, optimizer = build(fused=False)
loader = DataLoader(TensorDataset(torch.randn(3200, 16), torch.randn(3200, 1)), batch_size=32)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
for epoch in range(6):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        accelerator.backward(loss)
        optimizer.step()
    accelerator.print(epoch, loss.item())
