from pathlib import Path

import pytest

from narrows.remedies import lora
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import copy
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear({wide}, {wide}), torch.nn.ReLU(), torch.nn.Linear({wide}, 1))
before = net[0].weight.detach().clone()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
x, losses = torch.ones(4, {wide}), []
for _ in range(6):
    net.zero_grad()
    loss = (net(x) - 3).square().mean()
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
state = net.state_dict()
fresh = torch.nn.Sequential(torch.nn.Linear({wide}, {wide}), torch.nn.ReLU(), torch.nn.Linear({wide}, 1))
fresh.load_state_dict(state)
same = torch.allclose(fresh(x), net(x), atol=1e-5)
net.load_state_dict(state)
loaded = torch.allclose(fresh(x), net(x), atol=1e-5)
print(torch.equal(net[0].weight, before), losses[-1] < losses[0], same, loaded, *state)
"""
KEYS = ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_it_is_not_tried_where_nothing_is_learned() -> None:
    assert lora.candidates(answering(forward=5.0)) == []


def test_it_is_tried_on_products_in_the_backward() -> None:
    a = tensor(1024, 1024)
    work = window("ops", ops=(op("mm", a, a, out=a, state="backward", ms=12.0),))
    (found,) = lora.candidates(fakes.view(process(boundaries(backward=12.0, optimizer=4.0), work)))
    assert 0.007 < found.seconds < 0.009


@pytest.mark.torch
def test_weights_stay_and_checkpoints_hold_what_was_learned(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{wide}", "64")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("lora", 4))
    assert plain.output.split()[:4] == ["False", "True", "True", "True"]
    # The weights that were loaded at the end are the sum.
    assert found.output.split()[1:] == ["True", "True", "True", *KEYS]
    assert found.applied[0]["layers"] == 1


@pytest.mark.torch
def test_thin_layers_are_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{wide}", "8"), ("lora", 4))
    assert found.output.split()[1:] == ["True", "True", "True", *KEYS]
    assert found.applied == ()
