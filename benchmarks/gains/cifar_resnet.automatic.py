"""`cifar_resnet.py` with Lightning and its mixed precision."""

import tempfile

import bf16
import lightning
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
)
loader = DataLoader(FakeCifar(), batch_size=64, shuffle=True, num_workers=0)


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net, self.criterion = net, nn.CrossEntropyLoss()

    def training_step(self, batch, _):
        inputs, targets = batch
        self.last = self.criterion(self.net(inputs), targets)
        return self.last

    def on_train_epoch_end(self):
        print(self.current_epoch, self.last.item())

    def configure_optimizers(self):
        return torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


trainer = lightning.Trainer(
    max_epochs=4,
    precision="bf16-mixed" if bf16.FAST else "32-true",
    accelerator="cpu",
    enable_progress_bar=False,
    default_root_dir=tempfile.mkdtemp(),
)
trainer.fit(Classifier(), loader)
