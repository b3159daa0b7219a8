"""Running narrows on a job that waits for its batches, and sleeps for most of the rest."""

import os
import subprocess
import sys
from pathlib import Path

TRAIN = """
import sys, time, torch
from torch.utils.data import DataLoader, Dataset
torch.manual_seed(0)
class Slow(Dataset):
    def __len__(self): return 1200
    def __getitem__(self, i):
        time.sleep(0.004)
        x = torch.randn(8, generator=torch.Generator().manual_seed(i))
        return x, x.sum()[None]
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loader = DataLoader(Slow(), batch_size=4)
with open("log.txt", "a") as log:
    for step, (x, y) in enumerate(loader):
        if step == int(sys.argv[1]): break
        loss = ((net(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        time.sleep(0.012)
        log.write(f"{step}\\n")
print("workers", loader.num_workers)
"""


def narrows(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "narrows", *words], cwd=folder, capture_output=True, text=True, timeout=580, check=False,
        env={**os.environ, "NARROWS_DEBUG": "", **environment},
    )  # fmt: skip
    assert "src/narrows/" not in done.stderr, "a traceback of our own"
    return done
