"""Which optimizers' gradients are looked at, in a real job."""

from pathlib import Path

import pytest

from narrows.spool.read import read
from tests.cli.diagnosing import narrows

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

TURNS = """
import torch
nets = [torch.nn.Linear(4, 1) for _ in range(2)]
optimizers = [torch.optim.SGD(net.parameters(), lr=0.01) for net in nets]
for turn in range(30):
    for net, optimizer in zip(nets, optimizers):
        optimizer.zero_grad()
        net(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
"""


def test_of_two_optimizers_that_take_turns_both_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "turns.py").write_text(TURNS)
    done, _ = narrows(tmp_path, "turns.py")
    assert done.returncode == 0
    (spool,) = tmp_path.glob(".narrows/*/spool")
    (process,) = read(spool)
    looks = [(each["update"], each["who"]) for each in process.events["gradients"]]
    assert looks == [(update, update % 2) for update in (0, 1, 2, 5, 10, 21, 42)]
