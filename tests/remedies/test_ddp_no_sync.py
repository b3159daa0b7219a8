from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from narrows.findings.view import View
from narrows.remedies import ddp_no_sync
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.ranks import PARALLEL, run

SUM = op("c10d::allreduce_", (tensor(8 << 20),), out=(tensor(8 << 20),), state="backward", ms=1.0, count=4)
LARGE = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=8.0)


def job(micro: tuple[int, ...] = (4,) * 40, **parallel: Any) -> View:
    """Steps with so many micro-batches, each of which exchanges all gradients."""
    marks = boundaries(len(micro), forward=9.0, backward=9.0, wait=6.0)
    marks = tuple(replace(b, forwards=n, backwards=n) for b, n in zip(marks, micro, strict=True))
    return fakes.view(process(marks, window("ops", ops=(LARGE, SUM)), parallel={**PARALLEL, **parallel}))


def test_it_is_not_tried_where_each_update_has_one_backward_or_another_number_each_time() -> None:
    assert ddp_no_sync.candidates(job((1,) * 40)) == []
    assert ddp_no_sync.candidates(job((2, 3, 4, 5) * 10)) == []


def test_it_is_not_tried_where_gradients_are_exchanged_once_already() -> None:
    assert ddp_no_sync.candidates(job(bytes=200 << 20)) == []


@pytest.mark.parametrize("parallel", [{"find_unused": True}, {"static_graph": True}])
def test_it_is_not_tried_where_ranks_may_lack_gradients(parallel: dict[str, bool]) -> None:
    assert ddp_no_sync.candidates(job(**parallel)) == []


def test_it_saves_all_exchanges_but_one() -> None:
    (found,) = ddp_no_sync.candidates(job((4,) * 39 + (2,)))
    assert found.value == 4
    assert 0.003 < found.seconds < 0.01


SCRIPT = """
from torch.utils._python_dispatch import TorchDispatchMode
class Count(TorchDispatchMode):
    calls = 0
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        Count.calls += "allreduce" in str(func)
        return func(*args, **(kwargs or {}))

def train(micro, steps=6, between=lambda net: None, before=lambda net: None, make=torch.optim.Adam, **options):
    torch.manual_seed(1)
    net = DDP(torch.nn.Sequential(torch.nn.Linear(6, 16, bias=False), torch.nn.BatchNorm1d(16), torch.nn.Linear(16, 1)), **options)
    optimizer = make(net.parameters(), lr=0.05)
    draw = torch.Generator().manual_seed(7 + rank)
    Count.calls = 0
    for step in range(steps):
        for part in range(micro if step != 3 else 1):  # the last batches of an epoch are fewer
            x = torch.randn(8, 6, generator=draw)
            with Count():
                (net(x).sub(x.sum(1, keepdim=True)).square().mean() / micro).backward()
            between(net)
        before(net)
        optimizer.step()
        optimizer.zero_grad()
    print(*sums(net), *(round(b.double().sum().item(), 5) for b in net.buffers() if rank == 0), "|", Count.calls)

clip = lambda net: torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
for micro in (1, 2, 3, 4):
    train(micro, before=clip if micro > 1 else lambda net: None)
train(3, gradient_as_bucket_view=True)
train(3, between=clip)
"""


@pytest.mark.torch
def test_updates_are_the_same_on_all_ranks_whatever_the_number(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain, found = run(tmp_path / "plain", SCRIPT), run(tmp_path / "job", SCRIPT, ("ddp-no-sync", 3))
    learned = [[line.split("|") for line in rank.output.splitlines()] for rank in (*plain, *found)]
    of_plain, _, first, second = learned
    weights = [[float(x) for x in values.split()] for values, _ in first]
    assert weights == [pytest.approx([float(x) for x in values.split()], abs=2e-4) for values, _ in of_plain]
    # To the last digit: ranks that differ at all drift apart. (The buffers are those of rank 0 alone.)
    assert [values.split()[:5] for values, _ in first] == [values.split()[:5] for values, _ in second]
    # In backwards: none of the steps of 1 or 2, one of each of 3, two of each of 4; one is settled before its update.
    assert [int(count) for _, count in first] == [0, 0, 5, 10, 5, 14]
    assert [int(count) for _, count in of_plain] == [6, 11, 16, 21, 16, 16]
    assert [len(rank.applied) for rank in found] == [1, 1]
    assert ["before the last backward" in rank.not_applied[0]["why"] for rank in found] == [True, True]


ITSELF = """
net = DDP(torch.nn.Linear(3, 1))
x = torch.ones(4, 3) * (rank + 1)
for part in range(4):
    with net.no_sync() if part % 2 == 0 else torch.enable_grad():
        net(x).mean().backward()
print(net.module.weight.grad)
"""


@pytest.mark.torch
def test_a_script_that_leaves_exchanges_out_itself_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", ITSELF, ("ddp-no-sync", 9))
    assert [rank.output for rank in found] == ["tensor([[6., 6., 6.]])\n"] * 2
    assert [rank.applied for rank in found] == [(), ()]
    assert ["itself" in rank.not_applied[0]["why"] for rank in found] == [True, True]


def model(**changes: Any) -> SimpleNamespace:
    plain = {"process_group": 2, "find_unused_parameters": False, "static_graph": False, "_comm_hooks": []}
    return SimpleNamespace(**{**plain, "modules": list, **changes})


def ours() -> None: ...


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"process_group": 1}, "one rank"),
        ({"find_unused_parameters": True}, "different parameters"),
        ({"static_graph": True}, "different parameters"),
        ({"modules": lambda: [SimpleNamespace(sparse=True)]}, "sparse"),
        ({"_comm_hooks": [(ours, None)]}, "its own way"),
        ({"_join_config": SimpleNamespace(enable=True)}, "different steps"),
    ],
)
def test_models_whose_gradients_are_exchanged_each_time(changes: dict[str, Any], why: str) -> None:
    torch = SimpleNamespace(distributed=SimpleNamespace(get_world_size=lambda group: group))
    assert why in ddp_no_sync.unfit(torch, model(**changes))
    assert ddp_no_sync.unfit(torch, model()) == ""
