from pathlib import Path

import pytest

from narrows.remedies import activation_offload
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

SCRIPT = """
import torch
torch.manual_seed(0)
device = "cuda" if torch.cuda.is_available() else "cpu"
net = torch.nn.Sequential(*[torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Tanh()) for _ in range(8)]).to(device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    output = net(torch.ones(4096, 64, device=device))
    kept = torch.cuda.memory_allocated() if device == "cuda" else 0
    output.square().mean().backward()
    optimizer.step()
print(kept, *(round(x, 4) for x in net[0][0].weight[0].tolist()))
"""
MEMORY = {
    "rss_peak": 4 << 30, "device_peak": 4 << 30, "device_total": 8 << 30, "parameters": 1 << 28, "gradients": 1 << 28,
    "optimizer": 0,
}  # fmt: skip
DEVICE = {"t": 0, "version": "2.13.0", "threads": 2, "cuda": True}


def test_it_is_not_tried_on_a_cpu_nor_where_weights_take_the_memory() -> None:
    steps = boundaries(forward=5.0, backward=5.0)
    assert activation_offload.candidates(fakes.view(process(steps, memory=MEMORY))) == []
    full = {**MEMORY, "parameters": 1 << 30, "gradients": 1 << 30, "optimizer": 2 << 30}
    assert activation_offload.candidates(fakes.view(process(steps, memory=full, torch=DEVICE))) == []
    assert not activation_offload.possible(process(steps, memory=MEMORY))
    assert activation_offload.possible(process(steps, memory=full, torch=DEVICE))


def test_it_is_tried_where_activations_fill_a_device() -> None:
    (found,) = activation_offload.candidates(
        fakes.view(process(boundaries(forward=5.0, backward=5.0), memory=MEMORY, torch=DEVICE))
    )
    assert found.seconds <= 0


@pytest.mark.torch
def test_a_job_on_a_cpu_is_left_alone(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a device")
    found = run(tmp_path / "job", SCRIPT, ("activation-offload", True))
    assert found.applied == found.not_applied == ()
    assert found.output.split()[0] == "0"


@pytest.mark.gpu
def test_a_device_holds_less_and_the_model_learns_the_same(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no device")
    plain = run(tmp_path / "plain", SCRIPT).output.split()
    found = run(tmp_path / "job", SCRIPT, ("activation-offload", True))
    assert int(found.output.split()[0]) < 0.6 * int(plain[0])
    assert found.output.split()[1:] == plain[1:]
    assert found.applied[0]["model"] == "Sequential"
