"""`cifar_resnet.py`, rewritten: a batch is augmented at once, compiled, bfloat16 autocast, channels last."""

import bf16
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
images = torch.from_numpy(rng.integers(0, 255, (4096, 32, 32, 3), dtype=np.uint8))
labels = torch.from_numpy(rng.integers(0, 10, 4096))


def augment(batch):
    """The script's crop, flip, colours and scaling, each for all images; channels stay last, as they are."""
    n = len(batch)
    line = torch.arange(32)
    flip = torch.rand(n, 1) < 0.5
    rows = torch.randint(0, 9, (n, 1)) + line
    columns = torch.randint(0, 9, (n, 1)) + torch.where(flip, 31 - line, line)
    # Where a pixel of the padded image comes from: reflection at 0 and 31.
    rows, columns = (31 - (31 - (i - 4).abs()).abs() for i in (rows, columns))
    cut = batch[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]].reshape(n, -1, 3) / 255.0
    hue = torch.bmm(cut, torch.eye(3) + 0.1 * torch.randn(n, 3, 3)).clamp(0, 1)
    std, mean = torch.std_mean(hue, dim=1, keepdim=True, correction=0)
    return ((hue - mean) / (std + 1e-6)).reshape(n, 32, 32, 3).permute(0, 3, 1, 2)


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
)
net = net.to(memory_format=torch.channels_last)
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, fused=True)
compiled = torch.compile(net)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    for chosen in torch.randperm(len(images)).split(64):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16.FAST):
            loss = criterion(compiled(augment(images[chosen])), labels[chosen])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
