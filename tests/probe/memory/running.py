"""Small jobs, and memory runs of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

from narrows.job.environment import environment
from narrows.memory.stream import representative
from narrows.spool.read import read
from narrows.spool.record import Process

HEAD = "import torch\nfrom torch import nn\ntorch.manual_seed(0)\n"
LOOP = """
optimizer = torch.optim.{optimizer}(model.parameters(), lr=0.1)
for step in range(9):
    x = torch.randn(64, 100)
    loss = model(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(float(loss))
"""
MLP = HEAD + "model = nn.Sequential(nn.Linear(100, 1000), nn.ReLU(), nn.Linear(1000, 10))\n"


def run(folder: Path, script: str, how: str, **told: object) -> Process:
    folder.mkdir()
    path, spool = folder / "job.py", folder / "spool"
    path.write_text(script)
    spool.mkdir()
    made = environment(spool, plan="none", memory=how, memory_steps=4, seed=0, **told)
    done = subprocess.run(
        [sys.executable, str(path)], cwd=folder, env={**os.environ, **made, "NARROWS_REMEDIES": json.dumps([])},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [p for p in read(spool) if p.events.get("stream") or p.events.get("plain_step")]
    assert not found[0].events.get("fault"), found[0].events["fault"]
    return found[0]


def peak(process: Process) -> int:
    stream = representative(process)
    assert stream is not None
    return stream.peak[0]
