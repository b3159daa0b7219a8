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
class Looking(torch.nn.Module):
    def forward(self, x):
        recorded.append(torch.is_grad_enabled())
        return {forward}
recorded = []
net = torch.nn.Sequential(torch.nn.Linear(4, 4), Looking(), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1)).eval()
def call(x=None):
    answer = net(torch.ones(2, 4) if x is None else x)
    print(answer.requires_grad, answer.is_leaf)
    return answer
call()
answer = call()
answer += 1  # an ordinary tensor
print(answer.tolist(), answer.is_inference())
{then}
call()
print(recorded)
"""
LATER = (
    "x = torch.ones(2, 4, requires_grad=True)\ncall(x).sum().backward()\nprint(x.grad.tolist())",
    "net.train()\ncall().sum().backward()\nprint(net[0].weight.grad.tolist())",
    "o = torch.optim.SGD(net.parameters(), 0.1)\ncall().sum().backward()\no.step()\nprint(net[0].weight.tolist())",
    "call()[0, 0].backward()\nprint(net[0].weight.grad.tolist())",
    "print(torch.autograd.grad(call().sum(), [net[0].bias, net[3].weight]))",
    "print(torch.autograd.grad(torch.autograd.grad(call().square().sum(), net[0].bias, create_graph=True)[0].sum(), "
    "net[0].bias))",
)
CHAIN = """
import torch
torch.manual_seed(0)
class Head(torch.nn.Linear):
    def forward(self, x):
        recorded.append(torch.is_grad_enabled())
        return super().forward(x).tanh(), x
recorded = []
body, head = torch.nn.Linear(4, 4).eval(), Head(4, 2).eval()
score = torch.nn.MSELoss()
for turn in range(4):
    first, again = head(body(torch.ones(3, 4) * turn))
    loss = score(first, torch.ones(3, 2)) + again.mean()
    print(round(loss.item(), 4), first.requires_grad, loss.requires_grad)
loss.backward()
print([round(g, 4) for p in (*body.parameters(), *head.parameters()) for g in p.grad.flatten().tolist()])
print(recorded.count(False))
"""


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


def script(then: str, forward: str = "x") -> str:
    return SCRIPT.replace("{then}", then).replace("{forward}", forward)


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["no_grad", *inference_mode.ROOM])
def test_nothing_is_recorded_and_answers_are_the_same(tmp_path: Path, mode: str) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", script("call()")).output
    less = run(tmp_path / "less", script("call()"), ("inference-mode", mode))
    assert "[True, True, True, True]" in plain
    assert less.output == plain.replace("[True, True, True, True]", "[True, False, False, False]")
    assert less.applied[0]["mode"] == mode
    assert less.not_applied == ()


@pytest.mark.torch
@pytest.mark.parametrize(
    ("forward", "before"),
    [
        ("x + torch.rand(())", ""),
        ("x + net.n.add_(1)", "net.register_buffer('n', torch.zeros(()))"),
        ("x", "net[0].register_forward_hook(lambda *_: None)"),
    ],
)
def test_a_model_that_could_not_be_called_again_is_left_alone(tmp_path: Path, forward: str, before: str) -> None:
    pytest.importorskip("torch")
    text = script("call()", forward).replace("def call", f"{before}\ndef call", 1)
    plain, less = run(tmp_path / "plain", text).output, run(tmp_path / "less", text, ("inference-mode", "no_grad"))
    assert less.output == plain
    assert less.applied == ()


@pytest.mark.torch
@pytest.mark.parametrize("then", LATER)
def test_it_ends_when_gradients_are_asked_for_after_all(tmp_path: Path, then: str) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", script(then)).output
    less = run(tmp_path / "less", script(then), ("inference-mode", "inference_mode"))
    assert less.output.splitlines()[:-1] == plain.splitlines()[:-1]
    assert "False, True" in less.output.splitlines()[-1]
    assert len(less.not_applied) == 1


@pytest.mark.torch
def test_a_chain_of_models_can_be_asked_for_gradients(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", CHAIN).output
    less = run(tmp_path / "less", CHAIN, ("inference-mode", "inference_mode"))
    assert less.output.splitlines()[:-1] == plain.splitlines()[:-1]
    assert int(less.output.splitlines()[-1]) > 0
    assert less.applied


FAKE = """
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
with FakeTensorMode():
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)).eval()
    for _ in range(3):
        print(net(torch.ones(3, 4)).requires_grad)
"""


@pytest.mark.torch
def test_a_trace_without_numbers_shows_what_it_saves(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", FAKE, ("inference-mode", "inference_mode"))
    assert found.output.split() == ["True"] * 3
    assert (len(found.applied), found.not_applied) == (1, ())
