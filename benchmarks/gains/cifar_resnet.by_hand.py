"""`cifar_resnet.py` with what a line each can change: two workers, bfloat16, channels last, a fused optimizer."""

import bf16
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

rng = np.random.default_rng(0)


class FakeCifar(Dataset):
    def __init__(self, n=4096):
        self.x = rng.integers(0, 255, (n, 32, 32, 3), dtype=np.uint8)
        self.y = rng.integers(0, 10, n)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        img = self.x[i].astype(np.float32) / 255.0
        img = np.pad(img, ((4, 4), (4, 4), (0, 0)), mode="reflect")
        top, left = rng.integers(0, 9, 2)
        img = img[top : top + 32, left : left + 32]
        if rng.random() < 0.5:
            img = img[:, ::-1]
        hue = np.clip(img @ (np.eye(3) + 0.1 * rng.standard_normal((3, 3))), 0, 1)
        img = (hue - hue.mean((0, 1))) / (hue.std((0, 1)) + 1e-6)
        return torch.from_numpy(np.ascontiguousarray(img.transpose(2, 0, 1), dtype=np.float32)), int(self.y[i])


def conv_bn(i, o, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.a, self.b = conv_bn(c, c), conv_bn(c, c)

    def forward(self, x):
        return x + self.b(self.a(x))


net = nn.Sequential(
    conv_bn(3, 16),
    conv_bn(16, 32, 2),
    Residual(32),
    conv_bn(32, 64, 2),
    Residual(64),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(64, 10),
).to(memory_format=torch.channels_last)
loader = DataLoader(FakeCifar(), batch_size=64, shuffle=True, num_workers=2, persistent_workers=True)
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=True)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    for inputs, targets in loader:
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16.FAST):
            outputs = net(inputs.to(memory_format=torch.channels_last))
            loss = criterion(outputs, targets)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
