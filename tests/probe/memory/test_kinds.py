"""What a memory run says of a model's parameters."""

from pathlib import Path

import pytest

from narrows.memory.ledger import Rest, ledger
from narrows.memory.optimizers import trained
from narrows.memory.stream import representative
from tests.probe.memory.test_run import HEAD, LOOP, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SPARSE = (
    HEAD
    + """
table, head = nn.Embedding(20_000, 16, sparse=True), nn.Linear(16, 1)
for parameter in head.parameters():
    parameter.requires_grad_(False)
optimizer = torch.optim.SparseAdam(table.parameters())
model = nn.Sequential(table, head)
for step in range(9):
    loss = model(torch.randint(20_000, (8,))).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
)
BLOCKS = (
    HEAD
    + """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(100, 400, bias=False), nn.Linear(400, 100, bias=False)
    def forward(self, x):
        return x + self.down(self.up(x))
model = nn.Sequential(nn.Linear(100, 100, bias=False), nn.Sequential(*[Block() for _ in range(3)]))
"""
    + LOOP.format(optimizer="SGD")
)


@pytest.mark.parametrize("how", ["real", "fake"])
def test_what_is_learned_with_sparse_gradients(tmp_path: Path, how: str) -> None:
    process = run(tmp_path / "job", SPARSE, how)
    stream = representative(process)
    assert stream is not None
    table = 20_000 * 16 * 4
    assert trained(process, stream) == table
    parts = ledger(stream, Rest()).parts
    assert parts["gradients"] < table / 100
    assert parts["optimizer"] == pytest.approx(2 * table, rel=0.01)


def test_the_blocks_of_a_model_and_what_is_in_none(tmp_path: Path) -> None:
    process = run(tmp_path / "job", BLOCKS, "real")
    assert process.last("memory_blocks")["blocks"] == [[4 * 2 * 100 * 400, 4 * 100 * 100]]
