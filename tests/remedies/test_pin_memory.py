from pathlib import Path

import pytest

from narrows.remedies import pin_memory
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

SCRIPT = """
import torch
data = torch.utils.data.TensorDataset(torch.ones(16, 4))
device = "cuda" if torch.cuda.is_available() else "cpu"
loader = torch.utils.data.DataLoader(data, batch_size=4)
for (batch,) in loader:
    total = batch.to(device).sum().item()
print(total, loader.pin_memory)
"""
DEVICE = {"t": 0, "version": "2.13.0", "threads": 2, "cuda": True}


def test_it_is_not_tried_on_a_cpu() -> None:
    job = process(boundaries(forward=5.0, transfer=5.0), loader={"workers": 0, "pin_memory": False})
    assert pin_memory.candidates(fakes.view(job)) == []


def test_it_is_not_tried_on_batches_that_are_pinned() -> None:
    job = process(boundaries(forward=5.0, transfer=5.0), loader={"workers": 0, "pin_memory": True}, torch=DEVICE)
    assert pin_memory.candidates(fakes.view(job)) == []


def test_it_is_tried_where_transfers_are_waited_for() -> None:
    job = process(boundaries(forward=5.0, transfer=5.0), loader={"workers": 0, "pin_memory": False}, torch=DEVICE)
    (found,) = pin_memory.candidates(fakes.view(job))
    assert 0 < found.seconds <= 0.005


@pytest.mark.torch
def test_batches_are_pinned_only_where_there_is_a_device(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT, ("pin-memory", True))
    assert found.output.split() == ["16.0", str(torch.cuda.is_available())]
    assert bool(found.applied) == torch.cuda.is_available()
