from pathlib import Path

import pytest

from narrows.remedies import shared_cores
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LOADER = {"workers": 0, "persistent": False, "epoch": 0}
LARGE = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=4.0)
TWO = {"version": "2", "threads": 2, "cuda": False}
SCRIPT = """
import torch
from torch.utils.data import DataLoader, Dataset
class Numbers(Dataset):
    def __len__(self): return 24
    def __getitem__(self, i): return float(i)
if __name__ == "__main__":
    torch.manual_seed(0)
    loader = DataLoader(Numbers(), batch_size=4, shuffle=True)
    print(*[x for batch in loader for x in batch.tolist()], float(torch.rand(())))
    print(loader.num_workers, torch.get_num_threads())
"""


@pytest.mark.parametrize(
    ("loader", "torch", "cores"),
    [({**LOADER, "workers": 1}, TWO, 2), (LOADER, {**TWO, "cuda": True}, 2), (LOADER, TWO, 1), (LOADER, TWO, 4)],
)
def test_it_is_not_tried_with_workers_nor_on_a_device_nor_where_there_is_room(
    loader: dict[str, object], torch: dict[str, object], cores: int
) -> None:
    job = process(boundaries(forward=5.0, next=5.0), window("ops", ops=(LARGE,)), loader=loader, torch=torch)
    assert shared_cores.candidates(fakes.view(job, cores=cores)) == []


def test_it_is_not_tried_where_nothing_waits_for_a_loader() -> None:
    idle = process(boundaries(forward=9.9, next=0.1), window("ops", ops=(LARGE,)), loader=LOADER, torch=TWO)
    assert shared_cores.candidates(fakes.view(idle)) == []


def test_ops_on_fewer_threads_take_longer_and_the_batch_is_not_waited_for() -> None:
    job = process(boundaries(forward=5.0, next=5.0), window("ops", ops=(LARGE,)), loader=LOADER, torch=TWO)
    (found,) = shared_cores.candidates(fakes.view(job))
    assert found.value == "1+1"
    assert 0.001 < found.seconds < 0.004


@pytest.mark.torch
def test_workers_and_threads_are_set_and_the_batches_are_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    found = run(tmp_path / "job", SCRIPT, ("shared-cores", "1+1"), **shared_cores.environment("1+1"))
    assert found.output.splitlines()[0] == plain.output.splitlines()[0]
    assert found.output.splitlines()[1] == "1 1"
    (mine,) = [event for event in found.applied if event["remedy"] == shared_cores.NAME]
    assert (mine["workers"], mine["threads"]) == (1, 1)
    assert shared_cores.by_hand("1+1").count("\n") == 1
