from pathlib import Path

import pytest

from narrows.remedies import optimizer_labels
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

OPTIMIZER = {"class": "SGD", "fused": None, "foreach": None, "tensors": 4, "state_bytes": 0}
SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.{optimizer}
def names(profile):
    return sorted({e.key for e in profile.key_averages() if e.key.startswith("Optimizer")})
def step():
    optimizer.zero_grad()
    net(torch.ones(2, 4)).sum().backward()
    optimizer.step()
def closure():
    with torch.autograd.profiler.record_function("mine"):
        optimizer.zero_grad()
        loss = net(torch.ones(2, 4)).square().sum()
        loss.backward()
    return loss
for _ in range(3):
    step()
with torch.profiler.profile() as profile:
    step()
print(names(profile))
label = torch.autograd.profiler.record_function
optimizer.step(closure)
print(torch.autograd.profiler.record_function is label, label.__name__)
calls = []
optimizer.register_step_pre_hook(lambda *_: calls.append(torch.autograd.profiler.record_function is label))
step()
optimizer.step(closure)
print("labelled", calls)
print(*(round(x, 5) for x in net.weight.flatten().tolist()))
"""


def test_it_is_not_tried_where_a_step_is_long_or_nothing_is_updated() -> None:
    long = process(boundaries(forward=50.0, optimizer=3.0), optimizer=OPTIMIZER)
    assert optimizer_labels.candidates(fakes.view(long)) == []
    assert optimizer_labels.candidates(fakes.view(process(boundaries(forward=0.2)))) == []


def test_it_is_tried_where_a_step_is_a_few_dozen_ops() -> None:
    short = process(boundaries(forward=0.1, optimizer=0.05), optimizer=OPTIMIZER)
    (found,) = optimizer_labels.candidates(fakes.view(short))
    assert 0 < found.seconds < 0.00015


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", ["SGD(net.parameters(), lr=0.1)", "AdamW(net.parameters(), lr=0.1)"])
def test_updates_are_the_same_and_a_profiler_sees_its_labels(optimizer: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{optimizer}", optimizer)
    plain = run(tmp_path / "plain", script).output.splitlines()
    quiet = run(tmp_path / "quiet", script, ("optimizer-labels", True))
    said = quiet.output.splitlines()
    name = optimizer.split("(")[0]
    assert said[0] == plain[0] == str([f"Optimizer.step#{name}.step", f"Optimizer.zero_grad#{name}.zero_grad"])
    assert said[1] == plain[1] == "True record_function"
    assert (plain[2], said[2]) == ("labelled [True, True]", "labelled [False, True]")
    assert said[3] == plain[3]
    assert quiet.applied[0]["optimizer"] == name
