"""`narrows fit` that is ended from outside."""

from pathlib import Path

import pytest

from tests.cli.ending import told_to_end

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

TRAIN = """
import torch
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(100000):
    loss = net(torch.randn(4, 8)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_neither_a_process_nor_a_folder_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    said, took = told_to_end(tmp_path, "fit", "train.py", once=".narrows/*/alone/spool/*", times=2)
    assert said.splitlines()[-1] == "narrows: interrupted"
    assert took < 10
    assert sorted(path.name for path in tmp_path.glob(".narrows/*/*") if path.is_dir()) == ["spool"]
