from dataclasses import replace
from pathlib import Path

import pytest

from narrows.remedies import threads
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LARGE = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=8.0)
SMALL = tuple(
    op("add", tensor(300, 300), tensor(i + 1, 1), out=tensor(300, 300), ms=0.02 * 100, count=100) for i in range(4)
)
SCRIPT = """
import torch
from torch.utils.data import DataLoader
torch.set_num_threads(2)

class Set(torch.utils.data.Dataset):
    def __len__(self):
        return 2
    def __getitem__(self, index):
        return torch.get_num_threads()

if __name__ == "__main__":
    print(torch.get_num_threads(), next(iter(DataLoader(Set(), num_workers=1, batch_size=1))).item())
    print(torch.ones(100_000).sum().item())
"""


def told(count: int, cuda: bool = False) -> dict[str, object]:
    return {"version": "2", "threads": count, "cuda": cuda}


@pytest.mark.parametrize("torch", [told(2), told(1, cuda=True)])
def test_it_is_not_tried_where_the_number_is_right(torch: dict[str, object]) -> None:
    job = process(boundaries(forward=9.0), window("ops", ops=(LARGE,)), torch=torch)
    assert threads.candidates(fakes.view(job)) == []


@pytest.mark.parametrize(("used", "wanted"), [(1, 4), (16, 4)])
def test_large_ops_get_all_cores(used: int, wanted: int) -> None:
    job = process(boundaries(forward=9.0), window("ops", ops=(LARGE,)), torch=told(used))
    found = threads.candidates(fakes.view(job, cores=4))
    assert found[-1].value == wanted
    assert 0 < found[-1].seconds < 0.009


def test_many_small_ops_get_one_thread() -> None:
    job = process(boundaries(forward=9.0), window("ops", ops=SMALL), torch=told(2))
    (found,) = threads.candidates(fakes.view(job, fixed=1.8e-5))
    assert found.value == 1


def test_ranks_of_this_machine_share_its_cores() -> None:
    start = {"local_ranks": 2}
    job = process(boundaries(forward=9.0), window("ops", ops=(LARGE,)), torch=told(4), start=start)
    found = threads.candidates(fakes.view(job, cores=4))
    assert found[-1].value == 2
    # The same number on two machines: each has its cores for two of them.
    others = tuple(replace(job, pid=rank, rank=rank) for rank in (1, 2, 3))
    assert threads.candidates(fakes.view(job, cores=4, others=others)) == found


@pytest.mark.torch
def test_the_number_is_set_and_a_worker_has_its_own(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    one = run(tmp_path / "one", SCRIPT, ("threads", 3), **threads.environment(3))
    assert plain.output.split() == ["2", "1", "100000.0"]
    assert one.output.split() == ["3", "1", "100000.0"]
    assert one.applied[0]["threads"] == 3


def test_from_a_number_that_helped_the_next_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert [threads.beyond(n) for n in (1, 8, 16)] == [[2], [4, 16], [8]]


def test_where_ops_were_called_again_apart_that_says_what_is_saved() -> None:
    view = fakes.view(process(boundaries(forward=9.0), window("ops", ops=(LARGE,)), torch=told(4)), cores=2)
    (kernel,) = view.kernels
    found = {c.value: c.seconds for c in threads.candidates(replace(view, apart=lambda op: kernel.seconds / 4))}
    assert found[2] == pytest.approx(kernel.seconds * 3 / 4 + kernel.fixed)
