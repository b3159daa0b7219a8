from pathlib import Path

import pytest

from narrows.remedies import persistent_workers
from tests import fakes
from tests.fakes import boundary, process
from tests.remedies.harness import run

LOADER = {"workers": 2, "epoch": 0, "persistent": False, "prefetch": 2}
RESTARTS = tuple(boundary((i + 1) * 10, forward=9.0, **({"iter": 30.0} if i % 10 == 9 else {})) for i in range(40))
SCRIPT = """
import os, torch
from torch.utils.data import DataLoader, Dataset

class Set(Dataset):
    epoch = 0
    def __len__(self):
        return 4
    def __getitem__(self, index):
        return torch.tensor([index * 10 + self.epoch, os.getpid()])

if __name__ == "__main__":
    torch.manual_seed(0)
    dataset = Set()
    loader, alone = DataLoader(dataset, num_workers=1, shuffle=True), DataLoader(dataset)
    pids = []
    for epoch in range(4):
        if epoch == 3:
            dataset.epoch = 1
        batches = [batch[0].tolist() for batch in loader]
        print([number for number, _ in batches])
        pids.append(batches[0][1])
    print("processes", len(set(pids)), alone.persistent_workers)
"""


@pytest.mark.parametrize("changes", [{"workers": 0}, {"persistent": True}])
def test_it_is_not_tried_where_none_are_restarted(changes: dict[str, object]) -> None:
    assert persistent_workers.candidates(fakes.view(process(RESTARTS, loader={**LOADER, **changes}))) == []


def test_it_is_not_tried_where_starting_takes_next_to_nothing() -> None:
    job = process(fakes.boundaries(forward=9.0), loader=LOADER)
    assert persistent_workers.candidates(fakes.view(job)) == []


def test_it_is_tried_where_starting_takes_time() -> None:
    (found,) = persistent_workers.candidates(fakes.view(process(RESTARTS, loader=LOADER)))
    assert 0.002 < found.seconds < 0.003


@pytest.mark.torch
def test_workers_stay_until_the_dataset_is_given_something_new(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    stay = run(tmp_path / "stay", SCRIPT, ("persistent-workers", True))
    assert "processes 4 False" in plain.output
    assert stay.output == plain.output.replace("processes 4", "processes 2")
    assert stay.applied[0]["workers"] == 1
