"""Two ranks that do the classic things wrong, and two that do them right."""

from pathlib import Path

import pytest

from tests.cli.diagnosing import BIN, check_ledger, narrows

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

START = """
import contextlib
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

torch.set_num_threads(1)
dist.init_process_group("gloo")
torch.manual_seed(0)
data = TensorDataset(torch.randn(512, 64), torch.randn(512, 1))
net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
"""

WRONG = """
net = DistributedDataParallel(net, find_unused_parameters=True)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loader = DataLoader(data, batch_size=8, shuffle=True)
norms = [torch.zeros(4) for _ in range(10)]
for epoch in range(6):
    for number, (x, y) in enumerate(loader):
        loss = (net(x) - y).square().mean() / 2
        loss.backward()  # each one exchanges
        if number % 2 == 0:
            continue
        optimizer.step()
        optimizer.zero_grad()
        metrics = [loss.detach().clone() for _ in range(7)]
        for each in metrics:
            dist.all_reduce(each)  # blocking
        total = metrics[0].item()
        for norm in norms:
            dist.all_reduce(norm)  # loop
dist.destroy_process_group()
"""

RIGHT = """
net = DistributedDataParallel(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
sampler = DistributedSampler(data)
loader = DataLoader(data, batch_size=4, sampler=sampler)
for epoch in range(10):
    sampler.set_epoch(epoch)
    total = torch.zeros(())
    for number, (x, y) in enumerate(loader):
        last = number % 4 == 3
        with contextlib.nullcontext() if last else net.no_sync():
            loss = (net(x) - y).square().mean() / 4
            loss.backward()
        total += loss.detach()
        if last:
            optimizer.step()
            optimizer.zero_grad()
    dist.all_reduce(total)
    print(total.item())
dist.destroy_process_group()
"""
OF_RANKS = {
    "data-imbalance", "data-parallel", "find-unused-parameters", "sync-every-micro-batch", "bucket-size",
    "gradients-full-precision", "collective-in-loop", "blocking-metric-reduction", "same-data", "slow-backend",
    "oversubscription",
}  # fmt: skip


def test_what_ranks_do_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(START + WRONG)
    done, report = narrows(tmp_path, "torchrun", "--nproc-per-node", "2", "train.py", PATH=BIN)
    assert done.returncode == 0, done.stderr
    check_ledger(report)
    lines = (START + WRONG).splitlines()
    found = {f["id"]: f for f in report["findings"]}
    for name, text in {
        "find-unused-parameters": "find_unused_parameters=True",
        "sync-every-micro-batch": "each one exchanges",
        "collective-in-loop": "# loop",
        "blocking-metric-reduction": "# blocking",
        "same-data": "enumerate(loader)",
    }.items():
        assert name in found, f"only {sorted(found)}"
        assert text in lines[int(found[name]["where"].split(":")[1]) - 1]
    rows = {row["cause"]: row["seconds"] for row in report["ledger"]}
    for name, each in found.items():
        if name in OF_RANKS and each["cause"]:
            assert 0 <= each["seconds"] <= 1.0001 * rows[each["cause"]]


def test_who_shares_out_data_and_exchanges_once_is_not_told_anything(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(START + RIGHT)
    done, report = narrows(tmp_path, "torchrun", "--nproc-per-node", "2", "train.py", PATH=BIN)
    assert done.returncode == 0, done.stderr
    check_ledger(report)
    assert not OF_RANKS & {f["id"] for f in report["findings"]}
