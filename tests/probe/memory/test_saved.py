"""What is saved in a trace and loaded again: it is what it was, but for its numbers, and no file is written."""

from pathlib import Path

import pytest

from tests.probe.memory.running import LOOP, MLP, peak, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

SAVED = """
import io, pathlib
optimizer = torch.optim.Adam(model.parameters())
model(torch.randn(64, 100)).mean().backward()
optimizer.step()
optimizer.zero_grad()
tied = torch.zeros(40)
state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "seen": torch.tensor([4, 5]),
         "tied": (tied, tied[10:])}
torch.save(state, "best.pt")
state["epoch"] = 9
found = torch.load(pathlib.Path("best.pt").absolute(), map_location="cpu", weights_only=True)
assert found["epoch"] == 3 and found["seen"].tolist() == [4, 5]
model.load_state_dict(found["model"])
optimizer.load_state_dict(found["optimizer"])
assert found["model"]["0.weight"].shape == (1000, 100) and not found["model"]["0.weight"].requires_grad
one, other = found["tied"]
assert other.shape == (30,) and one.untyped_storage().data_ptr is not None and one._cdata != other._cdata
buffer = io.BytesIO()
torch.save(model, buffer)
buffer.seek(0)
copy = torch.load(buffer, weights_only=False)
assert isinstance(copy[0].weight, nn.Parameter) and copy[0].weight.requires_grad and copy[0].weight is not model[0].weight
assert copy(torch.randn(64, 100)).shape == (64, 10)
with open("again.pt", "wb") as file:
    torch.save(model.state_dict(), file)
with open("again.pt", "rb") as file:
    model.load_state_dict(torch.load(file))
del found, copy, state, one, other, tied, buffer
"""
KEPT = """
torch.save(model.state_dict(), "best.pt")
state = torch.load("best.pt")
"""


@pytest.mark.parametrize("how", ["real", "fake"])
def test_what_was_saved_is_loaded(tmp_path: Path, how: str) -> None:
    run(tmp_path / "job", MLP + SAVED + LOOP.format(optimizer="SGD"), how)
    assert (tmp_path / "job" / "best.pt").exists() == (how == "real")


def test_what_is_loaded_takes_memory_and_what_is_saved_none(tmp_path: Path) -> None:
    script = MLP + KEPT + LOOP.format(optimizer="SGD")
    real, traced = (peak(run(tmp_path / how, script, how)) for how in ("real", "fake"))
    assert traced == pytest.approx(real, rel=0.001)
