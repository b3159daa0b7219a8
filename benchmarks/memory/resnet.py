"""A ResNet for 32x32 images, with group normalisation, on random images."""

import argparse

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset


class RandomImages(Dataset):
    def __init__(self, n=4096):
        self.images = torch.randint(256, (n, 3, 32, 32), dtype=torch.uint8)
        self.labels = torch.randint(10, (n,))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i].float() / 127.5 - 1, self.labels[i]


class BasicBlock(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.GroupNorm(8, outside), nn.GroupNorm(8, outside)
        self.shortcut = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1, stride, bias=False)

    def forward(self, x):
        out = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, widths=(16, 32, 64), depth=5, recompute=False):
        super().__init__()
        self.recompute = recompute
        self.stem = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        sizes = [width for width in widths for _ in range(depth)]
        pairs = zip([widths[0], *sizes], sizes, strict=False)
        self.blocks = nn.Sequential(*[BasicBlock(a, b, 1 if a == b else 2) for a, b in pairs])
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.recompute else block(x)
        return self.head(x.mean((2, 3)))


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true")
    return parser.parse_args()


def make_model(args):
    return ResNet(recompute=args.checkpoint)


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


def make_loader(args):
    return DataLoader(RandomImages(), batch_size=args.batch, shuffle=True, drop_last=True)


def train_step(model, optimizer, batch, args):
    images, labels = batch
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model, loader = make_model(args), make_loader(args)
    optimizer = make_optimizer(model)
    for step, batch in zip(range(args.steps), loader, strict=False):
        loss = train_step(model, optimizer, batch, args)
        print(f"step {step}: loss {loss.item():.3f}")
