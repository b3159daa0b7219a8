from pathlib import Path

import pytest

from narrows.remedies import frozen
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
        self.conv, self.norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
        self.calls = 0

    def forward(self, x, scale=None):
        self.calls += 1
        x = self.norm(self.conv(x)).relu()
        {more}
        return {"out": x if scale is None else scale * x, "nothing": None}


net = Net().train({training})
with torch.set_grad_enabled({training}):
    for size in {sizes}:
        output = net(torch.ones(size, 3, 8, 8), scale=torch.tensor(2.0))["out"]
    calls = net.calls
    net(torch.ones(size, 3, 8, 8), scale=torch.tensor(2.0))
    print(net.calls - calls, *(round(x, 4) for x in output.flatten()[:8].tolist()))
    if {reload}:
        net.load_state_dict({name: 0 * value for name, value in net.state_dict().items()})
    print(*(round(x, 4) for x in net(torch.ones(1, 3, 8, 8), scale=torch.tensor(2.0))["out"].flatten()[:8].tolist()))
"""
SMALL = window("ops", ops=tuple(op("relu", tensor(8, 8 + i), out=tensor(8, 8 + i), ms=0.02) for i in range(50)))


def script(**changes: object) -> str:
    told = {"more": "pass", "training": False, "sizes": [2, 2, 2], "reload": False, **changes}
    text = SCRIPT
    for name, value in told.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def test_it_is_not_tried_on_a_job_that_trains() -> None:
    assert frozen.candidates(fakes.view(process(boundaries(forward=2.0), SMALL))) == []


def test_it_is_not_tried_where_nothing_is_between_the_ops() -> None:
    a = tensor(1024, 1024)
    work = window("ops", ops=(op("mm", a, a, out=a, ms=12.0),))
    assert frozen.candidates(answering(work, forward=12.0)) == []


def test_it_is_tried_on_many_small_ops() -> None:
    (found,) = frozen.candidates(answering(SMALL, forward=2.0))
    assert 0.0003 < found.seconds < 0.002


@pytest.mark.torch
def test_the_trace_answers_instead_of_the_forward(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", script())
    found = run(tmp_path / "job", script(), ("frozen", True))
    before, after = plain.output.split(), found.output.split()
    assert (before[0], after[0]) == ("1", "0")
    assert [float(x) for x in after[1:]] == pytest.approx([float(x) for x in before[1:]], abs=1e-3)
    assert found.applied[0]["model"] == "Net"
    assert found.not_applied == ()


@pytest.mark.torch
@pytest.mark.parametrize(
    "changes",
    [{"training": True}, {"more": "x = x + 1 if x.sum() > 0 else x - 1"}, {"more": "x = x + torch.rand_like(x)"}],
)
def test_a_model_that_learns_branches_or_draws_is_left_alone(tmp_path: Path, changes: dict[str, object]) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", script(**changes), ("frozen", True))
    assert found.output.split()[0] == "1"
    assert found.applied == ()


@pytest.mark.torch
def test_other_sizes_are_compared_and_new_weights_end_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", script(sizes=[2, 3, 3, 2], reload=True))
    found = run(tmp_path / "job", script(sizes=[2, 3, 3, 2], reload=True), ("frozen", True))
    assert found.output.split()[0] == "0"
    assert found.output.splitlines()[1] == plain.output.splitlines()[1] == " ".join(["0.0"] * 8)


CHANGED = """
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
        self.scale = 1.0
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return {"out": self.norm(self.conv(x)).relu() * self.scale, "mean": x.mean()}


torch.set_grad_enabled({gradients})
for change in {changes}:
    torch.manual_seed(0)
    net, x, seen = Net().eval(), torch.rand(2, 3, 8, 8), []
    for _ in range(3):
        net(x)
    calls = net.calls
    for turn in range(2):
        output = net(x)["out"]
    same = net.calls == calls
    exec(change)
    for turn in range(2):
        output = net(x)["out"]
        numbers = [round(v, 3) for v in output.flatten()[:8].tolist()]
        print(output.requires_grad, output.is_leaf, *numbers, len(seen), x.grad, net.conv.weight.grad, seen)
    print(same)
"""
CHANGES = (
    "net.conv.register_forward_hook(lambda *_: seen.append(1))",
    "net.register_forward_pre_hook(lambda *_: seen.append(1))",
    "with torch.no_grad(): net.conv.weight.mul_(-1)",
    "for p in net.parameters(): p.data.mul_(-1)",
    "for p in net.parameters(): p.data.copy_(torch.rand_like(p))",
    "for p in net.parameters(): p.data = torch.rand_like(p)",
    "torch.nn.utils.vector_to_parameters(torch.arange(120.0) / 120, net.parameters())",
    "net.norm.running_mean.fill_(3)",
    "net.conv.weight.detach().numpy()[:] = 2",
    "net.conv = torch.nn.Conv2d(3, 4, 3)",
    "net.scale = 2.0",
    "net.norm.train()",
    "net.load_state_dict({name: 2 * value for name, value in net.state_dict().items()})",
)
ASKED = (
    "output.sum().backward()",
    "(output**2).sum().backward(); output += 1",
    "seen += torch.autograd.grad(output.mean(), [net.conv.bias, net.norm.weight])",
    "net.train(); net(x)['out'].sum().backward()",
    "x.requires_grad_(); net(x)['out'].sum().backward()",
)


def changed(changes: tuple[str, ...], gradients: bool) -> str:
    text = "import torch\ntorch.set_printoptions(precision=3)" + CHANGED
    return text.replace("{changes}", repr(changes)).replace("{gradients}", str(gradients))


@pytest.mark.torch
@pytest.mark.parametrize(("changes", "gradients"), [(CHANGES, False), (ASKED, True)])
def test_a_model_that_is_changed_or_looked_at_or_asked_for_gradients_answers_by_itself(
    tmp_path: Path, changes: tuple[str, ...], gradients: bool
) -> None:
    pytest.importorskip("torch")
    text = changed(changes, gradients)
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("frozen", True))
    assert found.output.replace("\nTrue\n", "\nFalse\n") == plain.output
    assert found.output.count("\nTrue\n") == len(changes)
    assert len(found.applied) == len(changes)
