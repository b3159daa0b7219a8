from pathlib import Path

import pytest

from narrows.remedies import compile as compile_
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import torch
from torch._dynamo.utils import counters
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.GELU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(4):
    loss = torch.nn.functional.mse_loss(net(torch.ones(2 + step % {sizes}, 8)), torch.zeros(2 + step % {sizes}, 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(counters["stats"]["unique_graphs"], sum(counters["graph_break"].values()), *net.state_dict(), round(loss.item(), 5))
"""
A = tensor(1024, 1024)
SMALL = window("ops", ops=tuple(op("relu", tensor(8, 8 + i), out=tensor(8, 8 + i), ms=0.02) for i in range(50)))
NAMES = ["0.weight", "0.bias", "3.weight", "3.bias"]


def test_it_is_not_tried_on_a_model_that_is_compiled() -> None:
    job = process(boundaries(forward=2.0, backward=2.0), SMALL, model={"class": "Net", "compiled": True})
    assert compile_.candidates(fakes.view(job)) == []


def test_it_is_not_tried_where_all_is_in_large_products() -> None:
    work = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))
    assert compile_.candidates(fakes.view(process(boundaries(forward=12.0), work))) == []


def test_it_is_not_tried_where_shapes_change() -> None:
    other = window("ops", ops=tuple(op("relu", tensor(9, 8 + i), out=tensor(9, 8 + i), ms=0.02) for i in range(50)))
    assert compile_.candidates(fakes.view(process(boundaries(forward=2.0), SMALL, other))) == []


def test_it_is_tried_on_many_small_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    job = process(boundaries(forward=2.0), SMALL, SMALL)
    (found,) = compile_.candidates(fakes.view(job))
    assert 0.0005 < found.seconds < 0.002
    monkeypatch.setenv("PATH", "/nowhere")
    assert compile_.candidates(fakes.view(job)) == []


@pytest.mark.torch
def test_the_model_is_compiled_in_place(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{sizes}", "1")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("compile", "default"))
    assert found.output.split()[:2] == ["1", "0"]
    assert found.output.split()[2:6] == NAMES
    assert float(found.output.split()[6]) == pytest.approx(float(plain.output.split()[6]), abs=1e-4)
    assert found.applied[0]["model"] == "Sequential"


@pytest.mark.torch
def test_without_a_compiler_the_job_runs_as_it_would_have(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{sizes}", "1"), ("compile", "default"), PATH="/nowhere")
    assert found.output.split()[:2] == ["0", "0"]
    assert found.applied == ()
    assert "compiler" in found.not_applied[0]["why"]


HOOKED = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.GELU(), torch.nn.Linear(8, 1)).eval()
seen = []
with torch.no_grad():
    for turn in range(6):
        if turn == 2:
            hook = net[0].register_forward_hook(lambda module, args, output: seen.append(tuple(output.shape)))
        if turn == 4:
            hook.remove()
        net(torch.ones(2, 8))
print(seen)
"""


@pytest.mark.torch
def test_hooks_that_come_and_go_after_the_first_call_are_noticed(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert run(tmp_path / "job", HOOKED, ("compile", "default")).output == "[(2, 8), (2, 8)]\n"
