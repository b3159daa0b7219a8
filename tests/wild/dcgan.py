WILD = {"cause": "host", "note": "samples drawn, rescaled and written as an image in each step"}
import os, tempfile
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(0)
nz, ngf, ndf = 32, 16, 16
netG = nn.Sequential(nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
                     nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
                     nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False), nn.Tanh())
netD = nn.Sequential(nn.Conv2d(1, ndf, 4, 2, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(ndf, ndf * 2, 4, 2, 1),
                     nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, True), nn.Conv2d(ndf * 2, 1, 4, 1, 0), nn.Flatten())
criterion = nn.BCEWithLogitsLoss()
optD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
real_images = torch.tanh(torch.randn(2048, 1, 16, 16))
fixed_noise = torch.randn(64, nz, 1, 1)
out = tempfile.mkdtemp()

def save_grid(images, path):
    grid = np.zeros((8 * 16, 8 * 16), dtype=np.uint8)
    for k, image in enumerate(images):
        r, c = divmod(k, 8)
        for i in range(16):
            for j in range(16):
                grid[r * 16 + i, c * 16 + j] = int((float(image[0, i, j]) + 1) * 127.5)
    with open(path, "wb") as f:
        f.write(b"P5 128 128 255\n" + grid.tobytes())

for it in range(160):
    real = real_images[torch.randint(0, 2048, (64,))]
    netD.zero_grad()
    errD_real = criterion(netD(real), torch.ones(64, 1))
    errD_real.backward()
    fake = netG(torch.randn(64, nz, 1, 1))
    errD_fake = criterion(netD(fake.detach()), torch.zeros(64, 1))
    errD_fake.backward()
    optD.step()
    netG.zero_grad()
    errG = criterion(netD(fake), torch.ones(64, 1))
    errG.backward()
    optG.step()
    save_grid(fake.detach().numpy(), os.path.join(out, "fake.pgm"))
    if it % 40 == 0:
        print(it, errD_real.item(), errG.item())
