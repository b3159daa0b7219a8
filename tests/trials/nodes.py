"""A real Ray cluster of two nodes on this machine, where Ray is installed, and a job that never ends by itself."""

import secrets
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from narrows.trials import join

TOKEN = secrets.token_hex(32)
"""Ray reads it once in a process, so all clusters of one have the same."""
TRAIN = """
import time, torch
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(100000):
    optimizer.zero_grad()
    net(torch.ones(4, 8)).mean().backward()
    optimizer.step()
    time.sleep(0.005)
"""


@pytest.fixture
def two_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("torch")
    if find_spec("ray") is None:
        pytest.skip("needs Ray")
    # Of its own: else Ray leaves a token in the user's home.
    for name, value in {**join.QUIET, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster as Nodes

    there = Path("/tmp/ray").exists()
    monkeypatch.setattr(join, "SAME_MACHINE", "/proc/sys/kernel/random/uuid")  # of this machine, two are made
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(TRAIN)
    nodes = Nodes()
    try:
        nodes.add_node(num_cpus=1, include_dashboard=False)
        yield nodes
    finally:
        nodes.shutdown()
        if not there:
            shutil.rmtree("/tmp/ray", ignore_errors=True)
