from pathlib import Path

import pytest

from narrows.remedies import freezing
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda: torch.nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
        self.embed = torch.nn.Embedding(10, 8)
        self.blocks = torch.nn.ModuleList([block() for _ in range({blocks})])
        self.head = torch.nn.Linear(8, 1)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


net = Net()
before = {n: p.detach().clone() for n, p in net.named_parameters()}
optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.ones(2, 3, dtype=torch.long)).square().mean().backward()
    optimizer.step()
moved = sorted({n.split(".layers")[0].rsplit(".", 1)[0][:8] for n, p in net.named_parameters() if (p != before[n]).any()})
print(*moved)
"""


def test_it_is_not_tried_where_nothing_is_learned() -> None:
    assert freezing.candidates(answering(forward=5.0)) == []


def test_it_saves_half_of_what_comes_after_the_forward() -> None:
    (found,) = freezing.candidates(fakes.view(process(boundaries(forward=5.0, backward=8.0, optimizer=2.0))))
    assert found.seconds == pytest.approx(0.005)


@pytest.mark.torch
def test_the_first_half_stays(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{blocks}", "4"), ("freezing", 50))
    assert found.output.split() == ["blocks.2", "blocks.3", "head"]
    assert found.applied[0]["blocks"] == 2


@pytest.mark.torch
def test_a_model_of_one_block_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{blocks}", "1"), ("freezing", 50))
    assert found.output.split() == ["blocks.0", "embed", "head"]
    assert found.applied == ()
