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
BESIDE = """
import itertools, os, torch
from torch.utils.data import DataLoader, Dataset

class Set(Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, index):
        return torch.tensor([index, os.getpid()])

def numbers(batches):
    return [int(batch[0, 0]) for batch in itertools.islice(batches, 20)]

if __name__ == "__main__":
    loader = DataLoader(Set(), num_workers=1)
    pids = set()
    def first():
        batch = next(iter(loader))
        pids.add(int(batch[0, 1]))
        return int(batch[0, 0])
    print(first())
    seen = []
    for batch in itertools.islice(loader, 20):
        seen.append(int(batch[0, 0]))
        if len(seen) == 2:
            print("within", next(iter(loader))[0, 0].item(), numbers(loader))
    print(seen, numbers(loader))
    print([(int(a[0, 0]), int(b[0, 0])) for a, b in itertools.islice(zip(loader, loader), 20)])
    old = iter(loader)
    print(numbers(old), next(iter(loader))[0, 0].item(), next(old, None))
    for batch in loader:
        break
    print([first(), first(), first()], "processes", len(pids))
"""
CHANGED = """
import numpy as np, random, torch
from torch.utils.data import DataLoader, Dataset, random_split

class Scale:
    by = 1
    def __call__(self, x):
        return x * self.by

class Set(Dataset):
    def __init__(self):
        self.scale, self.order, self.weights, self.plus = Scale(), list(range(600)), np.arange(600), torch.zeros(1)
    def __len__(self):
        return 600
    def __getitem__(self, index):
        return self.scale(self.order[index] + OFFSET) + 1000 * int(self.weights[index]) + int(self.plus)

class Collate:
    add = 0
    def __call__(self, batch):
        return sum(batch[:10]) + self.add

def scaled(): part.dataset.scale.by = 2
def shuffled(): random.shuffle(dataset.order)
def weighed(): np.random.shuffle(dataset.weights)
def added(): dataset.plus += 1
def exchanged(): part.dataset.scale = lambda x: x + 5
def collated(): collate.add = 7
def moved():
    global OFFSET
    OFFSET = 3

OFFSET = 0
if __name__ == "__main__":
    random.seed(0), np.random.seed(0)
    dataset, collate = Set(), Collate()
    part, rest = random_split(dataset, [500, 100])
    loader = DataLoader(part, batch_size=100, num_workers=1, collate_fn=collate)
    for change in (print, scaled, shuffled, weighed, added, exchanged, collated, moved):
        change()
        print(change.__name__, list(loader))
"""
STREAM = """
from torch.utils.data import DataLoader, IterableDataset

class Stream(IterableDataset):
    at = 0
    def __iter__(self):
        while self.at < 6:
            self.at += 1
            yield self.at

if __name__ == "__main__":
    loader = DataLoader(Stream(), num_workers=1)
    print([[int(x) for x in loader] for _ in range(2)], loader.persistent_workers)
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


@pytest.mark.torch
def test_a_stream_is_left_alone(tmp_path: Path) -> None:
    """A worker that has read it to its end would have nothing left."""
    pytest.importorskip("torch")
    found = run(tmp_path / "job", STREAM, ("persistent-workers", True))
    assert found.output == "[[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]] False\n"
    assert found.applied == ()


@pytest.mark.torch
def test_a_loop_within_a_loop_and_one_beside_it_have_workers_of_their_own(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", BESIDE)
    stay = run(tmp_path / "stay", BESIDE, ("persistent-workers", True))
    assert plain.output.endswith("processes 4\n")
    assert stay.output == plain.output.replace("processes 4", "processes 1")


@pytest.mark.torch
def test_what_is_changed_inside_of_the_dataset_or_in_place_reaches_the_workers(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")
    plain = run(tmp_path / "plain", CHANGED)
    stay = run(tmp_path / "stay", CHANGED, ("persistent-workers", True))
    assert stay.output.splitlines() == plain.output.splitlines()
    assert len(set(plain.output.splitlines())) == 9
    assert stay.applied
