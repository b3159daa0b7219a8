"""Loaders that are given a sampler of batches: the size of those is told, and is another one where it is asked for."""

from pathlib import Path

import pytest

from tests.probe.memory.test_run import HEAD, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

LOOP = """
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, Sampler, TensorDataset
data = TensorDataset(torch.randn(256, 10))
{sampler}
loader = DataLoader(data, batch_sampler=sampler)
model = nn.Linear(10, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(9):
    for (x,) in loader:
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
TORCHS = "sampler = BatchSampler(RandomSampler(data), 32, drop_last=True)"
ANOTHER = """
class Batches({kind}):
    def __init__(self, rows, batch_size):
        {begin}
        self.rows, self.batch_size = rows, batch_size
    def __iter__(self):
        for at in range(0, self.rows, self.batch_size):
            yield list(range(at, min(self.rows, at + self.batch_size)))
    def __len__(self):
        return -(-self.rows // self.batch_size)
sampler = Batches(256, batch_size=32)
"""


@pytest.mark.parametrize(
    "sampler",
    [TORCHS, ANOTHER.format(kind="Sampler", begin="pass"),
     ANOTHER.format(kind="BatchSampler", begin="super().__init__(RandomSampler(data), batch_size, False)")],
    ids=["torch's", "the job's own", "one of torch's that the job has changed"],
)  # fmt: skip
def test_the_batches_of_a_sampler(tmp_path: Path, sampler: str) -> None:
    process = run(tmp_path / "job", HEAD + LOOP.format(sampler=sampler), "fake", batch="32:64")
    loader = process.first("loader")
    assert (loader["batch_size"], loader["sampled"], loader["batches"]) == (None, 64, 4)
    assert process.events["memory_step"][-1]["shape"] == [64, 10]


def test_a_sampler_that_does_not_say_how_large_its_batches_are(tmp_path: Path) -> None:
    sampler = "sampler = [[2 * row, 2 * row + 1] for row in range(128)]"
    process = run(tmp_path / "job", HEAD + LOOP.format(sampler=sampler), "fake", batch="32:64")
    assert (process.first("loader")["sampled"], process.events.get("batch_changed")) == (None, None)
