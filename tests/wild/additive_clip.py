WILD = {"cause": "host", "note": "gradients clipped by a hand-written loop with .item() for each parameter"}
"""Neural additive model (one small network per feature), gradients clipped by hand."""
import sys
import time

import torch
import torch.nn as nn

STEPS = int(sys.argv[sys.argv.index("--steps") + 1]) if "--steps" in sys.argv else 2500
N_FEATURES = 32
BATCH = 128
MAX_NORM = 1.0

torch.manual_seed(1)


class FeatureNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.layers(x)


class AdditiveModel(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.nets = nn.ModuleList([FeatureNet() for _ in range(n_features)])
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        parts = [net(x[:, i : i + 1]) for i, net in enumerate(self.nets)]
        return torch.cat(parts, dim=1).sum(1) + self.bias


def clip_gradients(model, max_norm):
    total = 0.0
    for p in model.parameters():
        if p.grad is not None:
            total += p.grad.detach().norm(2).item() ** 2
    total = total**0.5
    scale = min(1.0, max_norm / (total + 1e-6))
    for p in model.parameters():
        if p.grad is not None:
            p.grad.detach().mul_(scale)
    return total


X = torch.rand(16_384, N_FEATURES) * 4 - 2
Y = torch.sin(X[:, 0] * 2) + X[:, 1] ** 2 + 0.1 * torch.randn(len(X))

model = AdditiveModel(N_FEATURES)
opt = torch.optim.SGD(model.parameters(), lr=1e-2)
loss_fn = nn.MSELoss()

warm = int(STEPS * 0.3)
t0 = time.perf_counter()
for step in range(STEPS):
    if step == warm:
        t0 = time.perf_counter()
    idx = torch.randint(0, len(X), (BATCH,))
    loss = loss_fn(model(X[idx]), Y[idx])
    opt.zero_grad()
    loss.backward()
    clip_gradients(model, MAX_NORM)
    opt.step()

print(f"STEPTIME {(time.perf_counter() - t0) / (STEPS - warm):.6f}")
