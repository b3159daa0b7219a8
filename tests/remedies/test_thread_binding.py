import sys
from pathlib import Path

import pytest

from narrows.remedies import thread_binding
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LARGE = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=8.0)
STEP = boundaries(forward=8.2)
SCRIPT = """
import os, threading, torch
torch.ones(1 << 20).sum()
print(len(os.sched_getaffinity(0)), torch.get_num_threads())
from torch.utils.data import DataLoader

class Set(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        return len(os.sched_getaffinity(0))

print([batch.item() for batch in DataLoader(Set(), batch_size=1)][-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="an OpenMP of Linux")
@pytest.mark.parametrize(
    ("events", "cores"),
    [
        ({"loader": {"workers": 2}}, 2),
        ({"torch": {"threads": 1, "cuda": False}}, 2),
        ({"torch": {"threads": 2, "cuda": True}}, 2),
        ({}, 1),
    ],
)
def test_it_is_not_tried_where_cores_are_shared(events: dict[str, object], cores: int) -> None:
    job = process(STEP, window("ops", ops=(LARGE,)), **events)
    assert thread_binding.candidates(fakes.view(job, cores=cores)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="an OpenMP of Linux")
def test_it_is_tried_where_ops_take_the_time() -> None:
    (found,) = thread_binding.candidates(fakes.view(process(STEP, window("ops", ops=(LARGE,)))))
    assert 0 < found.seconds < 0.001


@pytest.mark.torch
@pytest.mark.skipif(sys.platform != "linux", reason="an OpenMP of Linux")
def test_threads_are_bound_but_those_of_other_remedies(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    import os

    cores = str(len(os.sched_getaffinity(0)))
    if cores == "1":
        pytest.skip("one core")
    bound = run(tmp_path / "job", SCRIPT, ("prefetch-thread", 2), **thread_binding.environment(True))
    assert bound.output.split()[0] == "1"
    assert bound.output.split()[2] == cores
