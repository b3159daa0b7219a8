"""A DistributedDataParallel becomes one whose ranks hold shares of the model; the script does not notice."""

from pathlib import Path
from typing import Any

import pytest

from narrows.remedies import fully_shard
from narrows.remedies.inside.errands import shares
from tests.remedies.parallel_job import exchanging
from tests.remedies.ranks import run


@pytest.mark.parametrize("changes", [{}, {"parallel": {"find_unused": True}}])
def test_it_is_not_tried_without_a_wrapper_or_with_parameters_that_may_be_unused(changes: dict[str, Any]) -> None:
    assert fully_shard.candidates(exchanging(**changes)) == []


def test_it_costs_half_an_exchange_more() -> None:
    (found,) = fully_shard.candidates(exchanging(parallel={}, wait=8.0))
    assert found.seconds == pytest.approx(-0.004, abs=3e-4)


@pytest.mark.parametrize(
    ("rows", "ranks", "each"), [(5, 2, [3, 2]), (4, 2, [2, 2]), (5, 4, [2, 2, 1, 0]), (1, 3, [1, 0, 0])]
)
def test_shares_are_those_of_chunks(rows: int, ranks: int, each: list[int]) -> None:
    assert shares(rows, ranks) == each


SCRIPT = """
import time
class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Linear(33, 65), torch.nn.Linear(65, 33)
    def forward(self, x):
        return x + self.b(torch.relu(self.a(x)))
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([Block() for _ in range(3)])
        self.end = torch.nn.Linear(33, 1)
        self.scale = 1.0
        self.register_buffer("shift", torch.full((1,), 0.5))
    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.end(x) * self.scale + self.shift
torch.manual_seed(rank)  # the wrapper makes all ranks begin as rank 0
net = Net()
early = {early}
make = lambda: torch.optim.AdamW((net if early else model).parameters(), lr=0.01)
optimizer = make() if early else None
model = DDP(net)
assert isinstance(model, DDP)
optimizer = optimizer or make()
draw = torch.Generator().manual_seed(rank)
def train(model, steps, parts=2):
    for step in range(steps):
        optimizer.zero_grad()
        for part in range(parts):
            x = torch.randn(16, 33, generator=draw)
            target = x.sum(1, keepdim=True)
            if part < parts - 1:
                with model.no_sync():
                    (model(x) - target).square().mean().backward()
            else:
                (model(x) - target).square().mean().backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        if rank == 0:
            print("norm", round(norm.item(), 4))
        optimizer.step()
        if rank == 0 and step == 1:  # alone, while the other goes on
            torch.save({"model": model.module.state_dict(), "optimizer": optimizer.state_dict()}, "saved.pt")
            model.eval()
            with torch.no_grad():
                net.scale = 2.0
                print("alone", round(model.module(torch.ones(4, 33)).sum().item(), 4))
                net.scale = 1.0
            model.train()
train(model, 4)
if rank == 0:  # behind the other, which may load something meanwhile
    time.sleep(1)
with torch.no_grad():
    print("all", round(model(torch.ones(4, 33)).sum().item(), 4))
"""
LAST = """
if rank == 0:  # the other has ended
    time.sleep(1)
    whole = model.state_dict()
    assert all(type(v) is torch.Tensor and v.shape == p.shape for v, p in zip(whole.values(), [*Net().state_dict().values()]))
    print(*whole)
    torch.save(model.module, "whole.pt")
    again = torch.load("whole.pt", weights_only=False)
    assert type(again) is Net
    with torch.no_grad():
        print("again", round(again(torch.ones(4, 33)).sum().item(), 4))
    model.load_state_dict({name: value * 0.5 for name, value in whole.items()})  # here alone
    with torch.no_grad():
        print("loaded", round(model(torch.ones(4, 33)).sum().item(), 4))
    half = model.state_dict()
    print("halves", int(all(torch.equal(half[name], value * 0.5) for name, value in whole.items())))
    print("last", *(round(v.double().square().sum().item(), 5) for v in half.values()))
"""


def said(output: str) -> list[tuple[str, list[float]]]:
    lines = [line.split() for line in output.splitlines() if not line.startswith(("module.", "[Gloo]"))]
    return [(first, [float(x) for x in rest]) for first, *rest in lines]


@pytest.mark.torch
@pytest.mark.parametrize("early", [True, False])
def test_the_script_does_not_notice(tmp_path: Path, early: bool) -> None:
    """Micro-batches, a norm and an evaluation and a checkpoint of rank 0 alone, also after the other has ended."""
    pytest.importorskip("torch", minversion="2.9")
    script = SCRIPT.replace("{early}", str(early)) + LAST
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("fully-shard", True))
    for mine, its in zip(found, plain, strict=True):
        assert [name for name, _ in said(mine.output)] == [name for name, _ in said(its.output)]
        for (_, one), (_, other) in zip(said(mine.output), said(its.output), strict=True):
            assert one == pytest.approx(other, rel=2e-4, abs=2e-4)
        assert [e["remedy"] for e in mine.applied] == ["fully-shard"]
    import torch

    one, other = (torch.load(tmp_path / name / "saved.pt") for name in ("plain", "job"))
    assert one["model"].keys() == other["model"].keys()
    for name in one["model"]:
        assert torch.allclose(one["model"][name], other["model"][name], atol=1e-4)
    for mine, its in zip(other["optimizer"]["state"].values(), one["optimizer"]["state"].values(), strict=True):
        assert {k: v.shape for k, v in mine.items()} == {k: v.shape for k, v in its.items()}
        assert torch.allclose(mine["exp_avg"], its["exp_avg"], atol=1e-4)


LOADED = """
saved = torch.load("../saved.pt")
model.module.load_state_dict(saved["model"])
optimizer.load_state_dict(saved["optimizer"])
with torch.no_grad():
    print("loaded", round(model(torch.ones(4, 33)).sum().item(), 4))
train(model, 3)
if rank == 0:
    print("held", sum(p._local_tensor.numel() for p in model.parameters()) if hasattr(p := next(model.parameters()), "_local_tensor")
          else sum(p.numel() for p in model.parameters()))
"""


@pytest.mark.torch
def test_what_was_saved_without_it_is_loaded_with_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", minversion="2.9")
    script = SCRIPT.replace("{early}", "False")
    run(tmp_path / "first", script)
    (tmp_path / "first" / "saved.pt").rename(tmp_path / "saved.pt")
    plain = run(tmp_path / "plain", script + LOADED)
    found = run(tmp_path / "job", script + LOADED, ("fully-shard", True))
    (*mine, (_, (held,))), (*its, (_, (every,))) = said(found[0].output), said(plain[0].output)
    for (_, one), (_, other) in zip(mine, its, strict=True):
        assert one == pytest.approx(other, rel=2e-4, abs=2e-4)
    assert 0.4 * every < held < 0.6 * every


LEFT = """
net = torch.nn.Sequential(torch.nn.Linear(4, 4), {layer})
model = DDP(net, {options})
print(type(next(model.parameters())) is torch.nn.Parameter, hasattr(next(model.parameters()), "_local_tensor"))
"""


@pytest.mark.torch
@pytest.mark.parametrize(
    ("layer", "options", "why"),
    [
        ("torch.nn.BatchNorm1d(4)", "", "batch normalisation"),
        ("torch.nn.Linear(4, 4)", "find_unused_parameters=True", "unused"),
        ("torch.nn.Linear(4, 4).double()", "", "several dtypes"),
    ],
)
def test_what_it_cannot_share_out_stays_as_it_is(tmp_path: Path, layer: str, options: str, why: str) -> None:
    pytest.importorskip("torch", minversion="2.9")
    found = run(tmp_path / "job", LEFT.format(layer=layer, options=options), ("fully-shard", True))
    for each in found:
        assert each.output.splitlines()[-1] == "True False"
        assert not each.applied
        assert why in each.not_applied[0]["why"]


FAILS = """
model = DDP(torch.nn.Linear(4, 4))
for step in range(3):
    if rank == 1 and step == {step}:
        raise ValueError("a bad sample")
    model(torch.ones(2, 4)).sum().backward()
if rank == 1:
    raise ValueError("a bad sample")
"""


@pytest.mark.torch
@pytest.mark.parametrize("step", [1, 9])
def test_a_rank_that_fails_waits_for_nobody_and_nobody_for_it(tmp_path: Path, step: int) -> None:
    """In a step, and after the other has ended."""
    pytest.importorskip("torch", minversion="2.9")
    with pytest.raises(AssertionError, match="a bad sample"):
        run(tmp_path / "job", FAILS.format(step=step), ("fully-shard", True))
