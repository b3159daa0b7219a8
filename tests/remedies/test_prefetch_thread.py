from pathlib import Path

import pytest

from narrows.remedies import prefetch_thread
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

LOADER = {"workers": 0, "epoch": 0, "persistent": False, "prefetch": None}
SLOW = boundaries(next=4.0, forward=6.0)
SCRIPT = """
import threading, torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

class Set(Dataset):
    def __len__(self):
        return 12
    def __getitem__(self, index):
        makers.add(threading.current_thread() is threading.main_thread())
        if index == 7 and broken:
            raise KeyError("seven")
        return torch.tensor(index)

class Stream(IterableDataset):
    def __iter__(self):
        yield from range(5)

makers, broken = set(), False
torch.manual_seed(3)
loader = DataLoader(Set(), batch_size=2, shuffle=True)
for _ in range(2):
    print([batch.tolist() for batch in loader], torch.rand(1).item())
print([batch.tolist() for batch in DataLoader(Stream(), batch_size=2)], len(iter(loader)), next(iter(loader)).tolist())
print("makers", sorted(makers))
broken, seen = True, []
batches = iter(DataLoader(Set(), batch_size=1))
while True:
    try:
        seen.append(next(batches).item())
    except KeyError as error:
        seen.append(repr(error))
    except StopIteration:
        break
print(seen, next(batches, "over"))
broken = False
with torch.no_grad():
    print([batch.requires_grad for batch in DataLoader(Set(), batch_size=6, sampler=range(6), collate_fn=lambda b:
           torch.ones(1, requires_grad=True) * 2)])
for batch in loader:
    for inner in loader:
        break
del batches
for number, batch in enumerate(DataLoader(Set(), batch_size=1, sampler=range(6))):
    if number == 2:
        break
import time
until = time.monotonic() + 10
while threading.active_count() > 1 and time.monotonic() < until:
    time.sleep(0.01)
print("threads", threading.active_count(), torch.get_num_threads())
last = iter(DataLoader(Set(), batch_size=1, sampler=range(6)))
next(last), next(last)
"""


@pytest.mark.parametrize("changes", [{"workers": 2}, None])
def test_it_is_not_tried_on_a_loader_that_has_workers(changes: dict[str, object] | None) -> None:
    job = process(SLOW, loader={**LOADER, **changes} if changes else [])
    assert prefetch_thread.candidates(fakes.view(job)) == []


def test_it_is_not_tried_on_one_core_or_where_batches_are_fast() -> None:
    assert prefetch_thread.candidates(fakes.view(process(SLOW, loader=LOADER), cores=1)) == []
    fast = process(boundaries(next=0.1, forward=9.0), loader=LOADER)
    assert prefetch_thread.candidates(fakes.view(fast)) == []


def test_it_is_tried_where_batches_take_time() -> None:
    (found,) = prefetch_thread.candidates(fakes.view(process(SLOW, loader=LOADER)))
    assert found.value == 2
    assert 0 < found.seconds < 0.004


@pytest.mark.torch
def test_batches_errors_and_ends_are_the_same_and_no_thread_stays(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    ahead = run(tmp_path / "ahead", SCRIPT, ("prefetch-thread", 2))
    assert "makers [True]" in plain.output
    assert ahead.output == plain.output.replace("makers [True]", "makers [False, True]")
    assert [event["ahead"] for event in ahead.applied] == [2]
    assert ahead.not_applied == ()
