WILD = {"cause": "host", "note": "a checkpoint with the optimizer's state in each step"}
import os, tempfile
import torch
from torch import nn

def main():
    torch.manual_seed(0)
    folder = tempfile.mkdtemp()
    net = nn.Sequential(nn.Linear(128, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 8))
    optimizer = torch.optim.Adam(net.parameters())
    x, y = torch.randn(256, 128), torch.randint(0, 8, (256,))
    best = float("inf")
    for step in range(300):
        out = net(x)
        loss = nn.functional.cross_entropy(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < best:
            best = loss.item()
            torch.save({"net": net.state_dict(), "opt": optimizer.state_dict()}, os.path.join(folder, "best.pt"))
    print(best)

main()
