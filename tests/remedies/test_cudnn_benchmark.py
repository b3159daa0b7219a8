from pathlib import Path

import pytest

from narrows.remedies import cudnn_benchmark
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import torch
if torch.cuda.is_available():
    torch.cuda.init()
print(torch.backends.cudnn.benchmark)
"""
DEVICE = {"t": 0, "version": "2.13.0", "threads": 2, "cuda": True}
X, W = tensor(8, 16, 64, 64), tensor(16, 16, 3, 3)
CALL = op("convolution", X, W, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, out=X, ms=20.0)
WORK = window("ops", ops=(CALL,))


def test_it_is_not_tried_on_a_cpu() -> None:
    assert cudnn_benchmark.candidates(fakes.view(process(boundaries(forward=20.0), WORK))) == []


def test_it_is_tried_on_convolutions_far_from_their_limit() -> None:
    (found,) = cudnn_benchmark.candidates(fakes.view(process(boundaries(forward=20.0), WORK, torch=DEVICE)))
    assert 0 < found.seconds < 0.004


@pytest.mark.torch
def test_it_is_set_only_where_the_job_uses_a_device(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT, ("cudnn-benchmark", True))
    assert found.output.split() == [str(torch.cuda.is_available())]
    assert bool(found.applied) == torch.cuda.is_available()
