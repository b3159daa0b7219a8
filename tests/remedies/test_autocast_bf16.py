from pathlib import Path

import pytest

from narrows.findings.view import View
from narrows.remedies import autocast_bf16, estimates
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import torch
net = torch.nn.Linear(64, 8)
seen = []
net.register_forward_hook(lambda module, given, output: seen.append(str(output.dtype)))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for _ in range(3):
    with torch.autocast("cpu", torch.bfloat16, enabled={own}):
        output = net(torch.rand(16, 64))
    loss = torch.nn.functional.mse_loss(output.float(), torch.zeros(16, 8))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(seen[0], output.dtype, net.weight.grad.dtype)
"""


def product(dtype: str = "float32", n: int = 1024, ms: float = 12.0) -> View:
    a = tensor(n, n, dtype=dtype)
    work = window("ops", ops=(op("mm", a, a, out=a, ms=ms),))
    return fakes.view(process(boundaries(forward=ms, backward=2.0), work))


def test_it_is_not_tried_where_products_are_in_bfloat16_already() -> None:
    assert autocast_bf16.candidates(product("bfloat16")) == []


def test_it_is_not_tried_where_the_casts_take_what_the_products_gain() -> None:
    assert autocast_bf16.candidates(product(n=16, ms=0.02)) == []


def test_it_is_tried_on_large_float32_products() -> None:
    (found,) = autocast_bf16.candidates(product())
    assert 0.004 < found.seconds < 0.006  # half of it, since bfloat16 is twice as fast, less the casts


@pytest.mark.torch
def test_the_product_is_in_bfloat16_and_the_loss_is_not(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{own}", "False"), ("autocast-bf16", True))
    assert found.output.split() == ["torch.bfloat16", "torch.float32", "torch.float32"]
    assert [e["model"] for e in found.applied] == ["Linear"]


@pytest.mark.torch
def test_a_job_with_its_own_autocast_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{own}", "True"), ("autocast-bf16", True))
    assert found.output.split()[:2] == ["torch.bfloat16", "torch.bfloat16"]
    assert found.applied == ()


def test_attention_on_a_cpu_has_a_setting_of_its_own() -> None:
    a, q = tensor(1024, 1024), tensor(16, 4, 128, 32)
    attention = op(estimates.FLASH, q, q, q, 0.0, True, out=q, ms=6.0)
    work = window("ops", ops=(op("mm", a, a, out=a, ms=12.0), attention))
    found = autocast_bf16.candidates(fakes.view(process(boundaries(forward=18.0, backward=2.0), work)))
    assert {each.value for each in found} == {True, autocast_bf16.BUT_ATTENTION}


ATTENTION = """
import torch
from torch.nn import functional
seen = []
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.out = torch.nn.Linear(8, 8)
    def forward(self, x):
        x = self.out(x)
        y = functional.scaled_dot_product_attention(x, x, x)
        seen.append((str(x.dtype), str(y.dtype)))
        return self.out(y)
net = Net()
{more}
net(torch.rand(2, 4, 16, 8)).sum().backward()
print(*seen[0], net.out.weight.grad.dtype)
"""


@pytest.mark.torch
@pytest.mark.parametrize("more", ["", "net.compile()"])
def test_attention_stays_in_float32(tmp_path: Path, more: str) -> None:
    found = run(tmp_path / "job", ATTENTION.replace("{more}", more), ("autocast-bf16", autocast_bf16.BUT_ATTENTION))
    assert found.output.split() == ["torch.bfloat16", "torch.float32", "torch.float32"]
    plain = run(tmp_path / "plain", ATTENTION.replace("{more}", more), ("autocast-bf16", True))
    assert plain.output.split() == ["torch.bfloat16", "torch.bfloat16", "torch.float32"]
