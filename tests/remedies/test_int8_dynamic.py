from pathlib import Path

import pytest

from narrows.remedies import int8_dynamic
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(64, 64), torch.nn.Linear(64, 4)

    def forward(self, x):
        return self.second({call})


net = Net().eval()
with torch.no_grad():
    for _ in range(4):
        output = net(torch.ones(2, 64))
print(type(net.first).__module__, *(round(x, 4) for x in output.flatten().tolist()))
"""
MODEL = {"class": "Net", "dtypes": {"float32": 100}}
A = tensor(1024, 1024)


def test_it_is_not_tried_on_a_job_that_trains() -> None:
    work = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))
    assert int8_dynamic.candidates(fakes.view(process(boundaries(forward=12.0, backward=2.0), work, model=MODEL))) == []


def test_it_is_not_tried_where_there_are_no_products() -> None:
    work = window("ops", ops=(op("relu", A, out=A, ms=12.0),))
    assert int8_dynamic.candidates(answering(work, forward=12.0, model=MODEL)) == []


def test_it_is_tried_on_products_of_a_model_that_answers() -> None:
    work = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))
    (found,) = int8_dynamic.candidates(answering(work, forward=12.0, model=MODEL))
    assert 0.005 < found.seconds < 0.007


@pytest.mark.torch
def test_layers_are_swapped(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{call}", "self.first(x).relu()")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("int8-dynamic", True))
    assert "quantized" in found.output.split()[0]
    before, after = ([float(x) for x in each.output.split()[1:]] for each in (plain, found))
    assert after != before
    assert after == pytest.approx(before, abs=0.05)
    assert found.applied[0]["layers"] == 2


@pytest.mark.torch
def test_a_forward_that_takes_the_weights_out_of_its_layers_gets_them_back(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{call}", "(x @ self.first.weight.T)")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("int8-dynamic", True))
    assert found.output == plain.output
    assert found.not_applied
    assert not found.applied
