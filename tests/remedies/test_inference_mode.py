from dataclasses import replace
from pathlib import Path

import pytest

from narrows.remedies import inference_mode
from narrows.spool.record import CALL
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

CALLS = tuple(replace(b, gradients=True, backwards=0) for b in boundaries(kind=CALL, forward=9.0))
OPS = window("ops", ops=(op("mm", *[tensor(64, 64)] * 2, out=tensor(64, 64), ms=1.0),))
SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1)).eval()
graphs = []
def call(x=None):
    answer = net(torch.ones(2, 4) if x is None else x)
    graphs.append(answer.requires_grad)
    return answer
answer = call().detach()
answer += 1  # an ordinary tensor
print(answer.tolist(), answer.is_inference())
{then}
call()
print("graphs", graphs)
"""
LATER = {
    "x = torch.ones(2, 4, requires_grad=True)\ncall(x).sum().backward()\nprint(x.grad.tolist())",
    "net.train()\ncall().sum().backward()\nprint(net[0].weight.grad.tolist())",
    "o = torch.optim.SGD(net.parameters(), 0.1)\ncall().sum().backward()\no.step()\nprint(net[0].weight.tolist())",
}


@pytest.mark.parametrize("calls", [tuple(replace(b, gradients=False) for b in CALLS), boundaries(forward=9.0),
                                   tuple(replace(b, backwards=1) for b in CALLS)])  # fmt: skip
def test_it_is_not_tried_where_gradients_are_wanted_or_not_recorded(calls: tuple[fakes.Any, ...]) -> None:
    assert inference_mode.candidates(fakes.view(process(calls, OPS))) == []


def test_it_is_not_tried_where_there_is_an_optimizer() -> None:
    trains = process(CALLS, OPS, optimizer={"class": "SGD"})
    assert inference_mode.candidates(fakes.view(trains)) == []
    assert not inference_mode.possible(trains)
    assert inference_mode.possible(process(CALLS, OPS))


def test_it_is_tried_where_they_are_recorded_for_nothing() -> None:
    found = inference_mode.candidates(fakes.view(process(CALLS, OPS)))
    assert [c.value for c in found] == ["no_grad", "inference_mode"]
    assert all(0 < c.seconds < 0.009 for c in found)


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["no_grad", *inference_mode.ROOM])
def test_nothing_is_recorded_and_answers_are_the_same(tmp_path: Path, mode: str) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{then}", "call()")
    plain = run(tmp_path / "plain", script).output
    less = run(tmp_path / "less", script, ("inference-mode", mode))
    assert "graphs [True, True, True]" in plain
    assert less.output == plain.replace("True", "False")
    assert less.applied[0]["mode"] == mode


@pytest.mark.torch
def test_it_ends_when_gradients_are_asked_for_after_all(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    for number, then in enumerate(sorted(LATER)):
        script = SCRIPT.replace("{then}", then)
        plain = run(tmp_path / f"plain{number}", script).output
        less = run(tmp_path / f"less{number}", script, ("inference-mode", "inference_mode"))
        assert less.output == plain.replace("graphs [True,", "graphs [False,")
        assert len(less.not_applied) == 1
