from pathlib import Path

import pytest

from narrows.remedies import fused_optimizer
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

OPTIMIZER = {"class": "AdamW", "fused": None, "foreach": None, "tensors": 10, "state_bytes": 100}
SCRIPT = """
import torch
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.{optimizer}
for _ in range(5):
    optimizer.zero_grad()
    net(torch.ones(2, 4)).sum().backward()
    optimizer.step()
print(optimizer.param_groups[0].get("fused"), *(round(x, 5) for x in net.weight.flatten().tolist()))
"""


@pytest.mark.parametrize("changes", [{"class": "LBFGS"}, {"fused": True}])
def test_it_is_not_tried_on_what_it_cannot_change(changes: dict[str, object]) -> None:
    job = process(boundaries(forward=5.0, optimizer=3.0), optimizer={**OPTIMIZER, **changes})
    assert fused_optimizer.candidates(fakes.view(job)) == []


def test_it_is_not_tried_where_the_update_takes_next_to_nothing() -> None:
    job = process(boundaries(forward=500.0, optimizer=1.0), optimizer=OPTIMIZER)
    assert fused_optimizer.candidates(fakes.view(job)) == []


def test_it_is_tried_where_the_update_takes_time() -> None:
    job = process(boundaries(forward=5.0, optimizer=3.0), optimizer=OPTIMIZER)
    (found,) = fused_optimizer.candidates(fakes.view(job))
    assert 0 < found.seconds < 0.003


@pytest.mark.torch
def test_the_update_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{optimizer}", "AdamW(net.parameters(), lr=0.1)")
    plain = run(tmp_path / "plain", script)
    fused = run(tmp_path / "fused", script, ("fused-optimizer", True))
    assert fused.output.split()[0] == "True"
    assert fused.output.split()[1:] == plain.output.split()[1:]
    assert fused.applied[0]["optimizer"] == "AdamW"


@pytest.mark.torch
def test_an_optimizer_that_has_no_fused_form_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(
        tmp_path / "job", SCRIPT.replace("{optimizer}", "RMSprop(net.parameters(), lr=0.1)"), ("fused-optimizer", True)
    )
    assert found.applied == ()
    assert found.output.split()[0] == "None"


RESUMED = """
import torch

def learn(net, optimizer, scaler):
    for _ in range(3):
        optimizer.zero_grad()
        scaler.scale(net(torch.ones(2, 4)).square().sum()).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        scaler.step(optimizer)
        scaler.update()

for kind in (torch.optim.Adam, torch.optim.SGD, torch.optim.Adagrad):
    for more in ({}, {"foreach": True}):
        torch.manual_seed(0)
        net = torch.nn.Linear(4, 1)
        scaler = torch.amp.GradScaler("cpu")
        optimizer = kind(net.parameters(), lr=0.1, **more)
        learn(net, optimizer, scaler)
        # As a run without the remedy would have saved it.
        saved = optimizer.state_dict()
        asked = [(group["fused"], group["foreach"]) for group in saved["param_groups"]]
        optimizer = kind(net.parameters(), lr=0.01, **more)
        optimizer.load_state_dict({**saved, "param_groups": [{**g, "fused": None} for g in saved["param_groups"]]})
        learn(net, optimizer, scaler)
        print(optimizer.param_groups[0]["fused"], asked, optimizer.param_groups[0]["lr"])
        print(*(round(x, 4) for x in net.weight.flatten().tolist()))
"""


@pytest.mark.torch
def test_a_checkpoint_says_what_was_asked_for_and_one_that_is_loaded_leaves_it_fused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain, fused = run(tmp_path / "plain", RESUMED), run(tmp_path / "fused", RESUMED, ("fused-optimizer", True))
    assert "\nTrue" not in plain.output
    assert fused.output.count("True [(None, None)] 0.1") == fused.output.count("True [(None, True)] 0.1") == 3
    assert fused.output.replace("True [", "None [") == plain.output
    assert fused.not_applied == ()
