"""Ops whose output is as large as numbers say: where these are known it is so large, else as large as it can be."""

from pathlib import Path

import pytest

from tests.probe.memory.running import HEAD, LOOP, MLP, peak, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

KNOWN = """
x, counts = model(torch.randn(64, 100))[:4], torch.tensor([2, 0, 3, 1])
few = torch.tensor([1, 1, 3, 3, 3, 1])
rows = torch.tensor([[1, 2], [1, 2], [3, 4]])
mask = counts > 0
def shapes(*made):
    return [tuple(each.shape) for each in made]
assert torch.repeat_interleave(x, counts, dim=0).shape == (6, 10)
assert torch.repeat_interleave(counts).tolist() == [0, 0, 2, 2, 2, 3]
assert torch.bincount(few).tolist() == [0, 3, 0, 3]
assert torch.bincount(few, minlength=9).shape == (9,)
assert torch.bincount(few, weights=x.flatten()[:6]).shape == (4,)
assert torch.unique(few).tolist() == [1, 3]
assert shapes(*torch.unique(rows, dim=0, return_counts=True)) == [(2, 2), (2,)]
assert shapes(*torch.unique_consecutive(few, return_inverse=True, return_counts=True)) == [(3,), (6,), (3,)]
assert torch.unique_consecutive(rows, dim=0).shape == (2, 2)
assert torch.nonzero(counts).shape == (3, 1)
assert x[mask].shape == (3, 10)
assert torch.masked_select(x, mask.unsqueeze(1)).shape == (30,)
assert x[counts == 9].shape == (0, 10)
print(sum(range(int(counts.sum()))))
"""
UNKNOWN = """
x = model(torch.randn(64, 100))
best = x.argmax(1)
def shapes(*made):
    return [tuple(each.shape) for each in made]
assert torch.repeat_interleave(x, best, dim=0).shape == (64, 10)
assert torch.bincount(best, minlength=10).shape == (10,)
assert torch.bincount(best).shape == (2,)
assert torch.bincount(best, weights=x[:, 0].detach().double()).dtype is torch.float64
assert shapes(*torch.unique(x.detach(), dim=0, return_inverse=True)) == [(64, 10), (64,)]
assert shapes(*torch.unique(best, return_counts=True)) == [(64,), (64,)]
assert shapes(*torch.unique_consecutive(best, return_counts=True)) == [(64,), (64,)]
assert torch.unique_consecutive(x.detach(), dim=1).shape == (64, 10)
assert x[best == 1].shape == (64, 10)
assert torch.masked_select(x, (best == 1).unsqueeze(1)).shape == (640,)
"""
CTC = (
    HEAD
    + """
model = nn.Linear(40, 500)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(9):
    chances = model(torch.randn(50, 8, 40)).log_softmax(-1)
    loss = nn.functional.ctc_loss(chances, torch.randint(1, 11, (8, 12)), torch.full((8,), 50), torch.full((8,), 12))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
)


@pytest.mark.parametrize("how", ["real", "fake"])
def test_numbers_that_are_known(tmp_path: Path, how: str) -> None:
    run(tmp_path / "job", MLP + KNOWN + LOOP.format(optimizer="SGD"), how)


def test_numbers_that_are_not(tmp_path: Path) -> None:
    run(tmp_path / "job", MLP + UNKNOWN + LOOP.format(optimizer="SGD"), "fake")


def test_the_loss_of_connectionist_temporal_classification(tmp_path: Path) -> None:
    real, traced = (peak(run(tmp_path / how, CTC, how)) for how in ("real", "fake"))
    assert traced == pytest.approx(real, rel=0.01)
