from dataclasses import replace
from pathlib import Path

import pytest

from narrows.remedies import bf16_weights
from narrows.spool.record import CALL
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4))
net.train({training})
for _ in range(4):
    with torch.set_grad_enabled({training}):
        output = net(torch.ones(2, 16))
print(net[0].weight.dtype, output.dtype, *(round(x, 4) for x in output.flatten().tolist()))
"""
MODEL = {"class": "Net", "dtypes": {"float32": 100}}
A = tensor(1024, 1024)
WORK = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))


def test_it_is_not_tried_on_a_job_that_trains() -> None:
    job = process(boundaries(forward=12.0, backward=2.0), WORK, model=MODEL)
    assert bf16_weights.candidates(fakes.view(job)) == []


def test_it_is_not_tried_on_a_model_in_another_dtype() -> None:
    view = answering(WORK, forward=12.0, model={**MODEL, "dtypes": {"bfloat16": 100}})
    assert bf16_weights.candidates(view) == []


def test_it_is_tried_on_a_model_that_answers_in_float32() -> None:
    (found,) = bf16_weights.candidates(answering(WORK, forward=12.0, model=MODEL))
    assert 0.005 < found.seconds < 0.007


@pytest.mark.torch
def test_weights_are_in_bfloat16_and_answers_in_float32(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{training}", "False")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("bf16-weights", True))
    assert found.output.split()[:2] == ["torch.bfloat16", "torch.float32"]
    before, after = ([float(x) for x in each.output.split()[2:]] for each in (plain, found))
    assert after != before
    assert after == pytest.approx(before, abs=0.02)
    assert found.applied[0]["model"] == "Sequential"


@pytest.mark.torch
def test_a_model_that_learns_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{training}", "True"), ("bf16-weights", True))
    assert found.output.split()[0] == "torch.float32"
    assert found.applied == ()


CHECKED = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)).eval()
{before}
with torch.no_grad():
    net(torch.ones(2, 16))
dtypes = [net[0].weight.dtype]
{then}
net.train()
for _ in range(3):
    optimizer.zero_grad()
    net(torch.ones(2, 16)).square().mean().backward()
    optimizer.step()
print(*dtypes, net[0].weight.dtype, net[0].weight.grad.dtype, optimizer.state[net[0].weight]["sum"].dtype)
"""
OPTIMIZER = "optimizer = torch.optim.Adagrad(net.parameters())"


def test_it_makes_no_room_in_a_job_that_checks_its_model_before_it_trains() -> None:
    checks = replace(boundaries(kind=CALL, forward=2.0)[0], backwards=0)
    trains = process((checks, *boundaries(forward=2.0, backward=2.0)), model=MODEL)
    assert not bf16_weights.possible(trains)
    assert not bf16_weights.possible(process((checks,), optimizer={"class": "SGD"}))
    assert bf16_weights.possible(process((checks,), model=MODEL))


@pytest.mark.torch
def test_a_model_that_an_optimizer_holds_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = CHECKED.replace("{before}", OPTIMIZER).replace("{then}", "")
    found = run(tmp_path / "job", script, ("bf16-weights", True))
    assert found.output.split() == ["torch.float32"] * 4
    assert found.applied == ()


@pytest.mark.torch
def test_a_model_that_learns_after_all_learns_in_float32(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = CHECKED.replace("{before}", "").replace("{then}", OPTIMIZER)
    found = run(tmp_path / "job", script, ("bf16-weights", True))
    assert found.output.split() == ["torch.bfloat16", *["torch.float32"] * 3]
    assert "learns after all" in found.not_applied[0]["why"]
