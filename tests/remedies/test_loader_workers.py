from pathlib import Path

import pytest

from narrows.remedies import loader_workers
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

LOADER = {"workers": 0, "persistent": False, "epoch": 0}
SCRIPT = """
import torch
from torch.utils.data import DataLoader, Dataset
class Numbers(Dataset):
    def __len__(self): return 24
    def __getitem__(self, i): return float(i)
if __name__ == "__main__":
    torch.manual_seed(0)
    loader = DataLoader(Numbers(), batch_size=4, shuffle=True, num_workers={workers})
    net = torch.nn.Linear(1, 1)
    for epoch in range(3):
        print(loader.num_workers > 0, *[x for batch in loader for x in batch.tolist()], float(torch.rand(())))
"""


def test_it_is_not_tried_where_nothing_waits_for_a_loader() -> None:
    assert loader_workers.candidates(fakes.view(process(boundaries(forward=5.0, tail=5.0)))) == []
    idle = process(boundaries(forward=9.9, next=0.1), loader=LOADER)
    assert loader_workers.candidates(fakes.view(idle)) == []


def test_it_is_not_tried_without_a_core_to_spare() -> None:
    job = process(boundaries(forward=5.0, next=5.0), loader=LOADER)
    assert loader_workers.candidates(fakes.view(job, cores=1)) == []


def test_it_is_tried_where_the_step_waits_for_its_batch() -> None:
    job = process(boundaries(forward=5.0, next=5.0), loader=LOADER)
    found = loader_workers.candidates(fakes.view(job))
    assert {each.value for each in found} == {1, 2}
    assert all(0 < each.seconds <= 0.005 for each in found)


@pytest.mark.torch
def test_the_batches_and_their_order_are_the_same_in_every_epoch(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT.replace("{workers}", "0"))
    found = run(tmp_path / "workers", SCRIPT.replace("{workers}", "0"), ("loader-workers", 2))
    assert found.output == plain.output.replace("False", "True")
    assert found.applied[-1]["workers"] == 2


@pytest.mark.torch
def test_a_loader_with_as_many_workers_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{workers}", "2"), ("loader-workers", 1))
    assert [event for event in found.applied if event["remedy"] == "loader-workers"] == []


def test_more_workers_than_cores_are_tried_only_once_as_many_have_helped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert [loader_workers.beyond(n) for n in (1, 2, 4, 8)] == [[2], [4], [8], []]
