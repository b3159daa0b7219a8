"""A DCGAN of 64x64 images: two networks with batch normalisation, an Adam for each, updated in turn."""

import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

NOISE, NGF, NDF = 64, 20, 20


def generator():
    layers = [nn.ConvTranspose2d(NOISE, NGF * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(NGF * 8), nn.ReLU(True)]
    for wide in (8, 4, 2):
        half = NGF * wide // 2
        layers += [nn.ConvTranspose2d(NGF * wide, half, 4, 2, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(NGF, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator():
    layers = [nn.Conv2d(3, NDF, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for wide in (1, 2, 4):
        double = NDF * wide * 2
        layers += [nn.Conv2d(NDF * wide, double, 4, 2, 1, bias=False), nn.BatchNorm2d(double), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(NDF * 8, 1, 4, 1, 0, bias=False), nn.Flatten(0))


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    # Recomputed layers would update the running statistics of their batch normalisation twice.
    parser.add_argument(
        "--checkpoint", action="store_true", help="ignored: no repeated blocks, and batch normalisation"
    )
    return parser.parse_args()


def make_model(args):
    return generator(), discriminator()


def make_optimizer(model):
    return tuple(torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in model)


def make_loader(args):
    images = torch.rand(1024, 3, 64, 64) * 2 - 1
    return DataLoader(TensorDataset(images), batch_size=args.batch, shuffle=True, drop_last=True)


def train_step(model, optimizer, batch, args):
    (net_g, net_d), (opt_g, opt_d), (real,) = model, optimizer, batch
    criterion = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(len(real)), torch.zeros(len(real))

    net_d.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        loss_real = criterion(net_d(real), ones)
    loss_real.backward()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        fake = net_g(torch.randn(len(real), NOISE, 1, 1))
        loss_fake = criterion(net_d(fake.detach()), zeros)
    loss_fake.backward()
    opt_d.step()

    net_g.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        loss_g = criterion(net_d(fake), ones)
    loss_g.backward()
    opt_g.step()
    return loss_real + loss_fake, loss_g


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model, loader = make_model(args), make_loader(args)
    optimizer = make_optimizer(model)
    step = 0
    while step < args.steps:
        for batch in loader:
            loss_d, loss_g = train_step(model, optimizer, batch, args)
            print(f"step {step}: discriminator {loss_d.item():.3f}  generator {loss_g.item():.3f}")
            step += 1
            if step == args.steps:
                break
