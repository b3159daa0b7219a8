"""`narrows optimize --memory`, the whole way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.optimizing import narrows

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.long]

DEEP = r"""
import re
import torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(1024))
    def forward(self, x):
        return (x * self.scale).relu_().mean(1, keepdim=True)
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide = Wide()
    def forward(self, x):
        return x + self.wide(x)
model = nn.Sequential(*[Block() for _ in range(6)])
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(8000, 1), torch.randn(8000, 1)
for step in range(20):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
"""
BLOCK = 8000 * 1024 * 4 >> 20
UNBROKEN = {"MALLOC_MMAP_THRESHOLD_": str(1 << 20), "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Each of six blocks keeps 31 MiB, which the C library is told to give back at once, and to ask for in huge pages (a
machine that clears small ones slowly takes minutes). Pages of libraries count too, and how many of those are there
differs by tens of MiB from run to run on some machines. With every block computed again it takes five blocks less,
with every second one three: the limit lies between those.
What it says of its peak is its own: `ru_maxrss` begins with that of the process that started it."""


@pytest.mark.timeout(1500)  # two dozen processes, on a machine that may be busy
def test_a_job_is_made_to_fit_at_a_cost_in_time(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(DEEP)
    alone = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, capture_output=True, check=True,
                           env={**os.environ, **UNBROKEN})  # fmt: skip
    limit = int(alone.stdout) // 1024 - 4 * BLOCK
    done = narrows(
        tmp_path, "optimize", "--memory", f"{limit}MiB", "--only", "activation-checkpointing", "--json", "out.json",
        "--budget", "20m", "--steps", "2", "train.py", **UNBROKEN,
    )  # fmt: skip
    if "no way to keep a trial" in done.stderr:
        pytest.skip("no overlays here")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    room = report["recipe"]["room"]
    assert room["before_bytes"] > limit << 20 > room["after_bytes"]
    assert room["fits"]
    assert report["recipe"]["remedies"] == ["activation-checkpointing=True"]
    assert report["recipe"]["pairs"] == 6
    assert report["recipe"]["parity"] == "same"
    assert "It fits" in done.stderr
    assert "at most" in (tmp_path / "narrows.toml").read_text()
