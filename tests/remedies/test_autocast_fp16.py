from pathlib import Path

import pytest

from narrows.remedies import autocast_fp16
from tests.fakes import op, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
device = "cuda" if torch.cuda.is_available() else "cpu"
net = torch.nn.Linear(8, 8).to(device).eval()
seen = []
net.register_forward_hook(lambda module, given, output: seen.append(str(output.dtype)))
with torch.no_grad():
    for _ in range(4):
        output = net(torch.ones(2, 8, device=device))
print(seen[0], output.dtype)
"""
A = tensor(1024, 1024)


def test_it_is_not_tried_on_a_cpu() -> None:
    work = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))
    assert autocast_fp16.candidates(answering(work, forward=12.0)) == []


@pytest.mark.torch
def test_a_job_on_a_cpu_is_left_alone(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a device")
    found = run(tmp_path / "job", SCRIPT, ("autocast-fp16", True))
    assert found.output.split() == ["torch.float32"] * 2
    assert found.applied == ()


@pytest.mark.gpu
def test_the_product_is_in_float16(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no device")
    found = run(tmp_path / "job", SCRIPT, ("autocast-fp16", True))
    assert found.output.split() == ["torch.float16", "torch.float32"]
