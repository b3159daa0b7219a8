from pathlib import Path

import pytest

from narrows.remedies import activation_checkpointing
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

SCRIPT = """
import torch
torch.manual_seed(0)
calls = [0]


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.drop = torch.nn.Linear(8, 8), torch.nn.Dropout(0.5)
        self.norm = torch.nn.{norm}(8)

    def forward(self, x):
        calls[0] += 1
        return x + self.drop(self.norm(self.layer(x)).relu())


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block() for _ in range(3)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.ones(4, 8)).square().mean().backward()
    optimizer.step()
print(calls[0], *net.state_dict())
print(*(round(x, 5) for x in net.blocks[0].layer.weight.flatten().tolist()))
"""
MEMORY = {"rss_peak": 4 << 30, "device_peak": None, "device_total": None, "parameters": 1 << 28, "gradients": 1 << 28}


def test_it_is_not_tried_where_weights_take_the_memory() -> None:
    full = {**MEMORY, "parameters": 1 << 30, "gradients": 1 << 30, "optimizer": 2 << 30}
    job = process(boundaries(forward=5.0, backward=5.0), memory=full)
    assert activation_checkpointing.candidates(fakes.view(job)) == []


def test_it_costs_a_forward() -> None:
    job = process(boundaries(forward=5.0, backward=5.0), memory={**MEMORY, "optimizer": 0})
    found = activation_checkpointing.candidates(fakes.view(job))
    assert [each.value for each in found] == [True, 2, 3]
    assert found[0].seconds == pytest.approx(-0.005)
    assert found[1].seconds == pytest.approx(-0.0025)


@pytest.mark.torch
def test_blocks_are_computed_twice_and_learn_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{norm}", "LayerNorm")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("activation-checkpointing", True))
    assert (plain.output.split()[0], found.output.split()[0]) == ("9", "18")
    assert found.output.split()[1:] == plain.output.split()[1:]
    assert found.applied[0]["blocks"] == 3


@pytest.mark.torch
def test_of_three_blocks_each_second_is_two(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{norm}", "LayerNorm"), ("activation-checkpointing", 2))
    assert found.output.split()[0] == "15"
    assert found.applied[0]["blocks"] == 2


@pytest.mark.torch
def test_blocks_with_running_averages_are_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{norm}", "BatchNorm1d")
    found = run(tmp_path / "job", script, ("activation-checkpointing", True))
    assert found.output.split()[0] == "9"
    assert found.applied == ()


STATEFUL = """
import torch
from torch.nn.utils.parametrizations import spectral_norm


class Block(torch.nn.Module):
    def __init__(self, change):
        super().__init__()
        self.layer, self.drop, self.change = torch.nn.Linear(8, 8), torch.nn.Dropout(0.5), change
        if change == "spectral":
            spectral_norm(self.layer)
        self.register_buffer("centre", torch.zeros(8))
        self.begun, self.calls = False, 0

    def forward(self, x):
        self.calls += 1
        if self.change == "average":
            self.centre.lerp_(x.detach().mean(0), 0.1)
        if self.change == "another":
            self.centre = 0.9 * self.centre + 0.1 * x.detach().mean(0)
        if self.change == "begin" and not self.begun:
            self.layer.bias.data.copy_(-x.detach().mean(0))
            self.begun = True
        return x + self.drop(self.layer(x) - self.centre)


for change in ("average", "another", "begin", "spectral", "none"):
    torch.manual_seed(0)
    net = torch.nn.Sequential(*(Block(change) for _ in range(3)))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.ones(4, 8)).square().mean().backward()
        optimizer.step()
    print(*(round(x, 5) for value in net.state_dict().values() for x in value.flatten().tolist()))
    print(net[1].calls)
"""


@pytest.mark.torch
def test_blocks_that_change_themselves_are_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain, found = (
        run(tmp_path / "plain", STATEFUL),
        run(tmp_path / "job", STATEFUL, ("activation-checkpointing", True)),
    )
    assert found.output.splitlines()[::2] == plain.output.splitlines()[::2]
    # Each is put back once, and those that do not change are computed twice.
    assert found.output.splitlines()[1::2] == ["4", "4", "4", "4", "6"]
    assert len(found.not_applied) == 12
