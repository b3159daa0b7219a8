from pathlib import Path

import pytest

from narrows.remedies import cuda_graphs
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run
from tests.remedies.test_compile import SMALL

SCRIPT = """
import torch
net = torch.nn.Linear(8, 8, device="cuda" if torch.cuda.is_available() else "cpu")
with torch.no_grad():
    for _ in range(4):
        output = net(torch.ones(2, 8, device=net.weight.device))
print(output.shape)
"""
DEVICE = {"t": 0, "version": "2.13.0", "threads": 2, "cuda": True}


def test_it_is_not_tried_on_a_cpu() -> None:
    assert cuda_graphs.candidates(fakes.view(process(boundaries(forward=2.0), SMALL, SMALL))) == []


def test_it_is_tried_on_many_small_ops() -> None:
    (found,) = cuda_graphs.candidates(fakes.view(process(boundaries(forward=2.0), SMALL, SMALL, torch=DEVICE)))
    assert found.seconds > 0.0005


@pytest.mark.torch
def test_a_job_on_a_cpu_is_left_alone(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a device")
    assert run(tmp_path / "job", SCRIPT, ("cuda-graphs", True)).applied == ()


@pytest.mark.gpu
def test_the_model_is_compiled(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no device")
    assert run(tmp_path / "job", SCRIPT, ("cuda-graphs", True)).applied[0]["model"] == "Linear"
