"""A script that looks for numbers that are not finite finds none in a trace."""

from pathlib import Path

import pytest

from tests.probe.memory.running import LOOP, MLP, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

GUARDED = (
    MLP
    + """
best = torch.tensor(float("inf"))
optimizer = torch.optim.Adam(model.parameters())
for step in range(9):
    y = model(torch.randn(640, 100))
    loss = y.square().mean()
    assert torch.isfinite(loss).all() and torch.isfinite(loss)
    assert torch.isfinite(y).all() and y.isfinite().sum() == y.numel() and not (~torch.isfinite(y)).any()
    assert not torch.isnan(y).any() and not torch.isinf(loss) and not (torch.isnan(y) | torch.isinf(y)).any()
    assert not (y != y).any() and (y == y).all() and loss == loss
    assert loss < float("inf") and loss < best and not loss == float("nan")
    assert y[torch.isnan(y)].shape == (0,)
    found = torch.isnan(loss.view(1).expand(3))
    found[1] = True
    assert found.tolist() == [False, True, False]
    assert not torch.isnan(torch.tensor([1.0, 2.0])).any() and torch.isnan(torch.tensor([1.0, float("nan")])).any()
    optimizer.zero_grad()
    if torch.isfinite(loss):
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
        optimizer.step()
    else:
        raise SystemExit("it is not finite")
"""
)
SCALED = (
    MLP
    + """
optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler("cpu")
for step in range(9):
    with torch.autocast("cpu", torch.float16):
        loss = model(torch.randn(64, 100)).square().mean()
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
"""
)
CHANGED = """
y = model(torch.randn(640, 100))
found = torch.isnan(y)
found[3] = True
assert not found.all()  # it is not known any more
"""


def updates(folder: Path, script: str) -> int:
    return sum(step["boundary"] == 0 for step in run(folder, script, "fake").events["memory_step"])


@pytest.mark.parametrize("script", [GUARDED, SCALED], ids=["asserted", "scaled"])
def test_each_update_is_made(tmp_path: Path, script: str) -> None:
    assert updates(tmp_path / "job", script) == 4


def test_what_is_changed_in_place_is_not_known_any_more(tmp_path: Path) -> None:
    run(tmp_path / "job", MLP + CHANGED + LOOP.format(optimizer="SGD"), "fake")
