from pathlib import Path
from typing import Any

import pytest

from narrows.remedies import cache_dataset
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

LOADER = {"workers": 0, "epoch": 0, "persistent": False, "prefetch": None}
EPOCHS = [LOADER, {**LOADER, "epoch": 1}]
SLOW = boundaries(next=4.0, forward=6.0)
FETCHES = {"batches": 10, "samples": 320, "fetch_ns": 1000, "collate_ns": 100, "cpu_ns": 950}
SCRIPT = """
import random, torch
import numpy as np
from torch.utils.data import DataLoader, Dataset, Subset

class Set(Dataset):
    made, epoch, own = 0, 0, None
    def __len__(self):
        return 20
    def __getitem__(self, index):
        Set.made += 1
        image = np.full((2, 3), index, dtype=np.float32)
        image[0, 0] = np.nan
        item = {"image": image, "label": (index, torch.tensor([index + self.epoch]))}
        if how == "torch":
            item["image"] = item["image"] + torch.rand(1).numpy()
        if how == "counter":
            item["label"] = (index, torch.tensor([Set.made]))
        if how == "own":
            item["image"] = item["image"] + self.own.random()
        return item

for how in ("same", "epoch", "torch", "counter", "own"):
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    class Set(Set):
        pass
    Set.made = 0
    dataset = Set()
    if how == "own":
        dataset.own = np.random.default_rng(0)
    loader = DataLoader(Subset(dataset, range(16)), batch_size=4, shuffle=True)
    total = 0.0
    for epoch in range(3):
        if how == "epoch":
            dataset.epoch = epoch
        for batch in loader:
            total += float(batch["image"].nansum()) * float(batch["label"][1].sum() + torch.rand(1))
    a, b = dataset[3], dataset[3]
    a["image"][1], a["label"][1][0] = -1, -1
    print(how, total if how != "counter" else "", b["image"].tolist(), random.random(), np.random.rand())
    print("made", how, Set.made)
"""
SHUFFLED = """
import random, torch
from torch.utils.data import DataLoader, Dataset
class Set(Dataset):
    made = 0
    def __init__(self): self.order = list(range(40))
    def __len__(self): return 40
    def __getitem__(self, index):
        Set.made += 1
        return self.order[index]
random.seed(0)
dataset = Set()
loader = DataLoader(dataset, batch_size=8)
for epoch in range(4):
    print([x for batch in loader for x in batch.tolist()])
    if epoch < 2:
        random.shuffle(dataset.order)
print("made", Set.made)
"""


@pytest.mark.parametrize("loaders", [[], [LOADER], [{**LOADER, "workers": 2, "epoch": 1}]])
def test_it_is_not_tried_where_nothing_is_asked_for_twice(loaders: list[dict[str, object]]) -> None:
    job = process(SLOW, loader=loaders, fetches=FETCHES)
    assert cache_dataset.candidates(fakes.view(job)) == []


def test_it_is_not_tried_where_all_the_time_goes_to_collating() -> None:
    job = process(SLOW, loader=EPOCHS, fetches={**FETCHES, "collate_ns": 990})
    assert cache_dataset.candidates(fakes.view(job)) == []


def test_it_is_tried_where_samples_take_time() -> None:
    (found,) = cache_dataset.candidates(fakes.view(process(SLOW, loader=EPOCHS, fetches=FETCHES)))
    assert 0.001 < found.seconds < 0.004


@pytest.mark.torch
def test_samples_are_kept_if_they_are_the_same_and_random_numbers_are_what_they_were(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")
    plain = run(tmp_path / "plain", SCRIPT)
    kept = run(tmp_path / "kept", SCRIPT, ("cache-dataset", True))

    def said(output: str, made: bool) -> list[str]:
        return [line for line in output.splitlines() if line.startswith("made") == made]

    assert said(kept.output, False) == said(plain.output, False)
    made = {line.split()[1]: int(line.split()[2]) for line in said(kept.output, True)}
    asked = {line.split()[1]: int(line.split()[2]) for line in said(plain.output, True)}
    assert made["same"] < asked["same"]
    assert made["own"] == asked["own"]  # it would have been advanced
    assert made["torch"] <= asked["torch"] + 1
    assert {event["dataset"] for event in kept.applied} == {"Set"}
    why = " ".join(event["why"] for event in kept.not_applied)
    assert "random numbers" in why
    assert "differs" in why


@pytest.mark.torch
def test_what_is_changed_in_place_between_epochs_gives_new_samples(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    *plain, all_of_them = run(tmp_path / "plain", SHUFFLED).output.splitlines()
    *kept, fewer = run(tmp_path / "kept", SHUFFLED, ("cache-dataset", True)).output.splitlines()
    assert kept == plain
    assert all_of_them == "made 160"
    assert int(fewer.split()[1]) < 150


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Any:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(cache_dataset.Memory, "left", -1)
    monkeypatch.setattr(cache_dataset.Memory, "unseen", 0)
    monkeypatch.setattr(cache_dataset.Memory, "reserve", 0)
    for name in cache_dataset.LOCAL_RANKS:
        monkeypatch.delenv(name, raising=False)
    return cache_dataset.Memory([], lambda self, index: None, torch)


@pytest.mark.torch
@pytest.mark.parametrize("ranks", [1, 4])
def test_ranks_on_one_machine_share_the_quarter_of_its_memory(
    memory: Any, ranks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_dataset, "_free_bytes", lambda: 64 << 20)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(ranks))
    for index in range(100):
        memory.keep(index, memory.torch.zeros(1 << 18))  # a mebibyte
    assert len(memory.samples) == {1: 15, 4: 3}[ranks]


@pytest.mark.torch
def test_no_more_is_kept_when_the_machine_has_little_left(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [64 << 20]
    monkeypatch.setattr(cache_dataset, "_free_bytes", lambda: free[0])
    for index in range(3):
        memory.keep(index, memory.torch.zeros(1 << 18))
    free[0] = 8 << 20
    for index in range(3, 50):
        memory.keep(index, memory.torch.zeros(1 << 18))
    assert len(memory.samples) <= 4
