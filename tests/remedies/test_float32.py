from pathlib import Path

import pytest

from narrows.remedies import float32
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import torch
{first}
torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)
        self.register_buffer("scale", torch.ones(4, dtype={dtype}))

    def forward(self, x):
        hidden = self.layer(x) + torch.zeros(4)  # of the default dtype
        seen.append(str(hidden.dtype))
        {check}
        return {"out": hidden * self.scale}


seen = []
net = Net().to({dtype})
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
x, y = torch.rand(8, 4, dtype={dtype}), torch.zeros(8, 4, dtype={dtype})
for _ in range(4):
    output = net(x)["out"]
    loss = torch.nn.functional.mse_loss(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(seen[-1], output.dtype, net.layer.weight.dtype, optimizer.state[net.layer.weight]["exp_avg"].dtype)
print(torch.get_default_dtype(), round(loss.item(), 5))
"""
MODEL = {"class": "Net", "dtypes": {"float64": 100}}


def script(dtype: str = "torch.float64", first: str = "torch.set_default_dtype(torch.float64)", check: str = "") -> str:
    return SCRIPT.replace("{dtype}", dtype).replace("{first}", first).replace("{check}", check or "pass")


def work(dtype: str) -> object:
    a = tensor(1024, 1024, dtype=dtype)
    return window("ops", ops=(op("mm", a, a, out=a, ms=24.0),))


@pytest.mark.parametrize("dtypes", [{"float32": 100}, {"float32": 50, "float64": 50}])
def test_it_is_not_tried_on_a_model_that_is_not_in_float64(dtypes: dict[str, int]) -> None:
    job = process(boundaries(forward=24.0, backward=2.0), work("float64"), model={**MODEL, "dtypes": dtypes})
    assert float32.candidates(fakes.view(job)) == []


def test_it_is_not_tried_where_little_is_computed_in_float64() -> None:
    job = process(boundaries(forward=24.0, backward=2.0), work("float32"), model=MODEL)
    assert float32.candidates(fakes.view(job)) == []


def test_it_is_tried_on_a_model_in_float64() -> None:
    job = process(boundaries(forward=24.0, backward=2.0), work("float64"), model=MODEL)
    (found,) = float32.candidates(fakes.view(job))
    assert 0.011 < found.seconds < 0.013  # half of it: float32 is twice as fast on this machine


@pytest.mark.torch
def test_the_model_computes_in_float32_and_the_rest_does_not_notice(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", script())
    found = run(tmp_path / "job", script(), ("float32", True))
    assert plain.output.split()[:4] == ["torch.float64"] * 4
    assert found.output.split()[:4] == ["torch.float32", "torch.float64", "torch.float32", "torch.float32"]
    assert found.output.split()[4] == "torch.float64"
    assert float(found.output.split()[5]) == pytest.approx(float(plain.output.split()[5]), rel=1e-2)
    assert found.applied[0]["model"] == "Net"


@pytest.mark.torch
def test_a_forward_that_cannot_take_float32_gets_its_float64_back(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    insists = script(check="assert x.dtype is torch.float64")
    plain, found = run(tmp_path / "plain", insists), run(tmp_path / "job", insists, ("float32", True))
    assert found.output.splitlines()[-1] == plain.output.splitlines()[-1]
    assert found.output.split()[2] == "torch.float64"
    assert found.applied == ()
    assert found.not_applied


@pytest.mark.torch
def test_a_model_in_float32_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", script("torch.float32", ""), ("float32", True))
    assert found.applied == ()


PARTS = """
import copy
import torch


class Coder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = torch.nn.Linear(6, 2), torch.nn.Linear(2, 6)
        self.loss = torch.nn.MSELoss()

    def forward(self, x):
        return self.decoder(self.encoder(x))


def case(kind, *, first=False, load=False):
    torch.manual_seed(0)
    net, x, z = Coder().double(), torch.rand(4, 6, dtype=torch.float64), torch.ones(2, 2, dtype=torch.float64)
    if first:
        net.decoder(z)
    average = torch.optim.swa_utils.AveragedModel(net)
    optimizer = kind(net.parameters(), lr=0.1)
    if load:
        for p in net.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
        saved, optimizer = optimizer.state_dict(), kind(net.parameters(), lr=0.1)
        optimizer.load_state_dict(saved)
    for _ in range(3):
        loss = net.loss(net(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(net)
    drawn, best = net.decoder(z), copy.deepcopy(net)
    assert best(x).dtype is best.decoder(z).dtype is average(x).dtype is drawn.dtype is loss.dtype is torch.float64
    state = optimizer.state[net.encoder.weight]
    dtypes = {value.dtype for name, value in state.items() if torch.is_tensor(value) and name != "step"}
    print(net.decoder.weight.dtype, *dtypes, *(round(v, 4) for v in drawn.flatten().tolist() + average(x).flatten().tolist()))


case(torch.optim.Adam)
case(torch.optim.Adam, first=True, load=True)
case(torch.optim.Adagrad)
"""


@pytest.mark.torch
def test_parts_and_copies_are_called_by_themselves_and_state_may_be_there_before_the_model_is_called(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    plain, found = run(tmp_path / "plain", PARTS), run(tmp_path / "job", PARTS, ("float32", True))
    for before, after in zip(plain.output.splitlines(), found.output.splitlines(), strict=True):
        assert after.split()[:2] == ["torch.float32", "torch.float32"]
        assert [float(v) for v in after.split()[2:]] == pytest.approx([float(v) for v in before.split()[2:]], abs=2e-3)
    assert found.not_applied == ()
