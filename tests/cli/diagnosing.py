"""Running `narrows diagnose` as a user types it: what all tests of whole jobs start from."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BIN = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""A PATH with the launchers of this environment."""

TRAIN = """
import sys, os, time
import torch
net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
x, y = torch.randn(64, 16), torch.randn(64, 1)
for step in range(int(os.environ.get("STEPS", "120"))):
    loss = ((net(x) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    {extra}
print("argv", sys.argv, __name__, __file__)
"""


def narrows(folder: Path, *words: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run `narrows diagnose` and read the JSON it wrote."""
    out = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "diagnose", "--json", str(out), *words],
        capture_output=True, text=True, cwd=folder, timeout=200, check=False,
        env={**os.environ, "NARROWS_DEBUG": "", **environment},
    )  # fmt: skip
    assert "src/narrows/" not in done.stderr, "a traceback of our own"
    return done, json.loads(out.read_text()) if out.exists() else {}


def write(folder: Path, extra: str = "pass") -> Path:
    path = folder / "train.py"
    path.write_text(TRAIN.replace("{extra}", extra))
    return path


def check_ledger(report: dict[str, Any]) -> dict[str, float]:
    step = report["step"]["median_seconds"]
    assert sum(row["seconds"] for row in report["ledger"]) == pytest.approx(step, rel=0.02)
    assert all(row["seconds"] >= row["floor_seconds"] >= 0 for row in report["ledger"])
    assert report["limit"]["ideal_seconds"] <= report["limit"]["same_ops_seconds"] <= step
    shares = {row["cause"]: row["share"] for row in report["ledger"]}
    assert shares["unexplained"] < 0.05
    return shares
