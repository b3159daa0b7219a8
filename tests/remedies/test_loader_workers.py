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
UNFIT = """
import itertools, os, random, sqlite3, torch
import numpy as np
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset

class Numbers(Dataset):
    held = None
    def __len__(self): return 8
    def __getitem__(self, i): return self.sample(i)
    def sample(self, i): return i

class Stream(IterableDataset):
    def __iter__(self): return iter(range(8))

class Lines(Numbers):
    def __init__(self): self.held = open("lines", "rb", buffering=0)
    def sample(self, i):
        self.held.seek(2 * i)
        return int(self.held.read(2))

class Late(Lines):
    def __init__(self): pass
    def sample(self, i):
        if self.held is None:
            super().__init__()
        return super().sample(i)

class Noise(Numbers):
    def __init__(self, held): self.held = held
    def sample(self, i): return float(self.held.random())

class Turn(Numbers):
    def __init__(self): self.held = itertools.cycle([1, 2, 3])
    def sample(self, i): return next(self.held)

RNG, TORCH = np.random.default_rng(0), torch.Generator().manual_seed(0)
class Named(Numbers):
    def sample(self, i): return noise()
def noise(): return float(RNG.random())
class Drawn(Numbers):
    def sample(self, i): return float(torch.rand((), generator=TORCH))
class Table(Numbers):
    def __init__(self):
        self.held = sqlite3.connect(":memory:")
    def sample(self, i): return self.held.execute("select ?", (i,)).fetchone()[0]

def made():
    yield Stream()
    yield ConcatDataset([Lines(), Lines()])
    yield Subset(Noise(random.Random(0)), range(6))
    yield Noise(np.random.default_rng(0))
    yield from (Turn(), Named(), Drawn(), Table())
    late = Late()
    late[0]
    yield late

open("lines", "w").write("".join(f"{i} " for i in range(8)))
for dataset in made():
    loader = DataLoader(dataset, batch_size=2)
    again = DataLoader(dataset, batch_size=2, num_workers=loader.num_workers, persistent_workers=loader.persistent_workers)
    for each in (loader, again, loader):
        print(type(dataset).__name__, [x for batch in each for x in batch.tolist()])
    print(loader.num_workers, loader.persistent_workers, again.num_workers, again.persistent_workers)
late = Late()
loader = DataLoader(late, batch_size=2)
for epoch in range(3):
    print([x for batch in loader for x in batch.tolist()])
    late[0]
print("workers", loader.num_workers)
"""
FIT = """
import logging, torch
import numpy as np
from random import choice
from torch.utils.data import DataLoader, Dataset
logging.basicConfig(filename="log", filemode="a")
log = logging.getLogger("set")
rng = np.random.default_rng(0)
class Files(Dataset):
    def __init__(self):
        self.names, self.images = ["a", "b"], rng.random((2, 4))
        self.log = open("mine", "w")
    def __len__(self): return 2
    def __getitem__(self, i):
        log.debug("one")
        with open(self.names[i]) as file:
            return file.read() + choice(["", ""]) + str(torch.rand(1).numel()) + str(np.random.rand(1).size)
for name in "ab":
    open(name, "w").write(name)
print([x for batch in DataLoader(Files()) for x in batch])
"""


def test_it_is_not_tried_where_nothing_waits_for_a_loader() -> None:
    assert loader_workers.candidates(fakes.view(process(boundaries(forward=5.0, tail=5.0)))) == []
    idle = process(boundaries(forward=9.9, next=0.1), loader=LOADER)
    assert loader_workers.candidates(fakes.view(idle)) == []


def test_it_is_not_tried_without_a_core_to_spare() -> None:
    job = process(boundaries(forward=5.0, next=5.0), loader=LOADER)
    assert loader_workers.candidates(fakes.view(job, cores=1)) == []


def test_it_is_not_tried_where_the_dataset_is_a_stream() -> None:
    job = process(boundaries(forward=5.0, next=5.0), loader={**LOADER, "sample": ("train.py", 3, "__iter__")})
    assert loader_workers.candidates(fakes.view(job)) == []


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


@pytest.mark.torch
@pytest.mark.parametrize("remedy", [("loader-workers", 2), ("shared-cores", "2+1")])
def test_what_forked_workers_would_share_or_repeat_stays_in_one_process(
    tmp_path: Path, remedy: tuple[str, object]
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")
    plain = run(tmp_path / "plain", UNFIT)
    found = run(tmp_path / "job", UNFIT, remedy)
    assert found.output == plain.output
    assert [event for event in found.applied if event["remedy"] == "loader-workers"] == [found.applied[-1]]
    why = " ".join(event["why"] for event in found.not_applied)
    for word in ("stream", "FileIO", "Random", "Generator", "cycle", "Connection"):
        assert word in why


@pytest.mark.torch
def test_files_that_are_opened_for_a_sample_logs_and_generators_of_all_the_process_are_no_obstacle(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")
    found = run(tmp_path / "job", FIT, ("loader-workers", 2))
    assert found.output == "['a11', 'b11']\n"
    assert [event["remedy"] for event in found.applied] == ["persistent-workers", "loader-workers"]
    assert found.not_applied == ()


def test_more_workers_than_cores_are_tried_only_once_as_many_have_helped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert [loader_workers.beyond(n) for n in (1, 2, 4, 8)] == [[2], [4], [8], []]
