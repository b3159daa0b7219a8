from pathlib import Path

import pytest

from narrows.remedies import foreach_optimizer
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

OPTIMIZER = {"class": "RMSprop", "fused": None, "foreach": None, "tensors": 10, "state_bytes": 100}
STEP = boundaries(forward=5.0, optimizer=3.0)
FAST = window("ops", ops=(op("mul_", tensor(4), tensor(4), state="optimizer", ms=0.4, count=40),))
SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1))
for kind in ("RMSprop", "AdamW", "SGD", "LBFGS"):
    optimizer = getattr(torch.optim, kind)(net.parameters(), lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        loss = net(torch.ones(2, 4)).square().sum()
        loss.backward()
        optimizer.step(*([lambda: loss] if kind == "LBFGS" else []))
    print(kind, optimizer.param_groups[0].get("foreach"), *(round(x, 5) for x in net[0].weight.flatten().tolist()))
"""


@pytest.mark.parametrize("changes", [{"class": "LBFGS"}, {"fused": True}, {"foreach": True}, {"tensors": 1}])
def test_it_is_not_tried_on_what_it_cannot_change(changes: dict[str, object]) -> None:
    job = process(STEP, FAST, optimizer={**OPTIMIZER, **changes})
    assert foreach_optimizer.candidates(fakes.view(job)) == []


def test_it_is_not_tried_on_a_device_where_it_is_what_torch_does() -> None:
    job = process(STEP, FAST, optimizer=OPTIMIZER, torch={"threads": 2, "cuda": True})
    assert foreach_optimizer.candidates(fakes.view(job)) == []


def test_it_is_tried_where_the_update_takes_time() -> None:
    (found,) = foreach_optimizer.candidates(fakes.view(process(STEP, FAST, optimizer=OPTIMIZER)))
    assert 0 < found.seconds < 0.003


@pytest.mark.torch
def test_the_update_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT).output.splitlines()
    each = run(tmp_path / "each", SCRIPT, ("foreach-optimizer", True))
    assert [line.split()[1] for line in plain] == ["None"] * 4
    assert [line.split()[1] for line in each.output.splitlines()] == ["True"] * 3 + ["None"]
    assert [line.split()[2:] for line in each.output.splitlines()] == [line.split()[2:] for line in plain]
    assert {event["optimizer"] for event in each.applied} == {"RMSprop", "AdamW", "SGD"}
    both = run(tmp_path / "both", SCRIPT, ("foreach-optimizer", True), ("fused-optimizer", True))
    assert [line.split()[2:] for line in both.output.splitlines()] == [line.split()[2:] for line in plain]
