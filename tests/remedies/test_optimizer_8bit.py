from pathlib import Path

import pytest

from narrows.remedies import optimizer_8bit
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 8))
optimizer = torch.optim.{optimizer}
x, y = torch.randn(512, 64), torch.randint(0, 8, (512,))
for step in range(60):
    loss = torch.nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(round(loss.item(), 4))
held = [v for s in optimizer.state.values() for v in s.values() if torch.is_tensor(v)]
print(sum(v.numel() * v.element_size() for v in held))
again = torch.optim.Adam(net.parameters())
again.load_state_dict(optimizer.state_dict())
"""


def test_it_is_for_room_and_not_for_speed() -> None:
    assert optimizer_8bit.candidates(fakes.view(process(boundaries(forward=5.0)))) == []
    assert optimizer_8bit.ROOM == (True,)


@pytest.mark.parametrize(("name", "possible"), [("SGD", False), ("AdamW", True)])
def test_it_is_only_for_optimizers_with_two_averages(name: str, possible: bool) -> None:
    assert optimizer_8bit.possible(process(boundaries(forward=5.0), optimizer={"class": name})) == possible
    assert not optimizer_8bit.possible(process(boundaries(forward=5.0)))


@pytest.mark.torch
@pytest.mark.parametrize(
    "optimizer", ["Adam(net.parameters(), lr=3e-3)", "AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)",
                  "Adam(net.parameters(), lr=3e-3, weight_decay=1e-3)"],
)  # fmt: skip
def test_it_learns_the_same_with_a_quarter_of_the_state(optimizer: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{optimizer}", optimizer)
    plain = run(tmp_path / "plain", script).output.split()
    found = run(tmp_path / "job", script, ("optimizer-8bit", True))
    loss, size = found.output.split()
    assert float(loss) == pytest.approx(float(plain[0]), rel=0.03)
    assert int(size) < 0.35 * int(plain[1])
    assert len(found.applied) == 1


@pytest.mark.torch
@pytest.mark.parametrize(
    "optimizer", ["SGD(net.parameters(), lr=0.1, momentum=0.9)", "Adam(net.parameters(), amsgrad=True)"]
)
def test_others_are_left_as_they_are(optimizer: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{optimizer}", optimizer).replace("again", "# again")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("optimizer-8bit", True))
    assert found.output == plain.output
    assert found.applied == ()


@pytest.mark.torch
@pytest.mark.parametrize("signed", [True, False])
def test_numbers_come_back_within_a_few_percent_however_small_beside_others(signed: bool) -> None:
    torch = pytest.importorskip("torch")
    codes = optimizer_8bit.Codes(torch, signed=signed)
    assert len(codes.table) == 256
    assert bool((codes.table[1:] >= codes.table[:-1]).all())
    value = torch.logspace(-4, 0, 700) * (torch.where(torch.arange(700) % 2 == 0, 1.0, -1.0) if signed else 1.0)
    kept, scales = codes.encode(value.view(7, 100))
    assert (kept.dtype, tuple(kept.shape), len(scales)) == (torch.uint8, (7, 100), 3)
    back = codes.decode(kept, scales).view(-1)
    large = value.abs() > 0.1 * scales.repeat_interleave(256)[:700]
    assert float(((back - value).abs() / value.abs())[large].max()) < 0.08
    assert float((back - value).abs().max()) < 0.01
    assert float(codes.decode(*codes.encode(torch.zeros(10))).abs().max()) == 0.0


SCALED = """
import torch
torch.manual_seed(0)
net = torch.nn.Linear(64, 128)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01, fused={fused}, eps=1.0)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
for step in range(4):
    loss = net(torch.ones(2, 64)).square().mean() * (float("inf") if step == 2 else 1.0)
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
print(optimizer.state[net.bias]["step"], round(net.weight.double().sum().item(), 3), bool(net.weight.isfinite().all()))
"""


@pytest.mark.torch
def test_a_fused_optimizer_unscales_its_gradients_and_leaves_out_what_is_not_finite(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    one, fused = (
        run(tmp_path / name, SCALED.replace("{fused}", name), ("optimizer-8bit", True)) for name in ("False", "True")
    )
    assert one.output == fused.output
    assert one.output.split()[::2] == ["3", "True"]
