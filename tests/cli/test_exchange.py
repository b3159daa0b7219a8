"""Ranks side by side: what they exchange, and who waits for whom."""

from pathlib import Path

import pytest

from tests.cli.diagnosing import BIN, check_ledger, narrows

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

RANKS = """
import sys, time, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
STEPS, SLOW = 150, 0.0

def main(rank=None, port=None):
    torch.set_num_threads(1)
    if rank is None:
        dist.init_process_group("gloo")
    else:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    net = DistributedDataParallel(torch.nn.Linear(256, 256))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    x = torch.randn(32, 256)
    for step in range(STEPS):
        if SLOW and dist.get_rank() == 1:
            time.sleep(SLOW)  # the straggler
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
    dist.barrier()
    dist.destroy_process_group()
"""


def test_torchrun_is_one_report(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(RANKS + "main()\n")
    done, report = narrows(tmp_path, "torchrun", "--nproc-per-node", "2", "train.py", PATH=BIN)
    assert done.returncode == 0, done.stderr
    assert (report["job"]["ranks"], len(report["ranks"]), report["job"]["type"]) == (2, 2, "training")
    assert check_ledger(report)["communication"] > 0


def test_the_straggler_of_a_torchrun_job_is_named_with_its_phase_and_line(tmp_path: Path) -> None:
    slow = RANKS.replace("STEPS, SLOW = 150, 0.0", "STEPS, SLOW = 70, 0.04") + "main()\n"
    (tmp_path / "train.py").write_text(slow)
    line = 1 + slow[: slow.index("time.sleep(")].count("\n")
    done, report = narrows(tmp_path, "torchrun", "--nproc-per-node", "2", "train.py", PATH=BIN)
    assert done.returncode == 0, done.stderr
    check_ledger(report)
    first, second = report["ranks"]
    assert (second["slower_in"], second["where"]) == ("tail", f"train.py:{line}")
    assert second["slowest_share"] > 0.8
    assert second["costs_seconds"] > 0.03
    assert first["waits_for_others_seconds"] > 0.03 > second["waits_for_others_seconds"]
    found = next(f for f in report["findings"] if f["id"] == "slow-rank")
    assert (found["where"], found["cause"]) == (f"train.py:{line}", "host")
    assert report["communication"]["critical_rank"] == 1
    assert report["communication"]["clock_offset_seconds"] < 0.005
    assert {each["kind"] for each in report["communication"]["collectives"]} == {"all-reduce"}
    assert report["machine"]["ceilings"]["collective"]["all-reduce"]["ranks"] == 2


SHARDED = """
import torch, torch.distributed as dist
import torch.distributed._functional_collectives as functional
from torch.distributed.fsdp import fully_shard

class Summed(torch.nn.Module):
    def forward(self, x):
        return x + functional.all_reduce(x.detach(), "sum", dist.group.WORLD)

torch.set_num_threads(1)
dist.init_process_group("gloo")
net = torch.nn.Sequential(torch.nn.Linear(256, 256), Summed(), torch.nn.Linear(256, 256))
fully_shard(net[0]), fully_shard(net[2]), fully_shard(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
x = torch.randn(32, 256)
assert torch.equal(torch.compile(net[1], backend="eager", fullgraph=True)(x), net[1](x))

def main():
    for step in range(60):
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()

main()
dist.destroy_process_group()
"""


def test_collectives_from_within_the_model_are_communication(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SHARDED)
    done, report = narrows(tmp_path, "torchrun", "--nproc-per-node", "2", "train.py", PATH=BIN)
    assert done.returncode == 0, done.stderr
    rows = check_ledger(report)
    # They wait for each other some fourteen times in a step that has next to nothing to compute.
    assert rows["communication"] == max(rows.values())
    kinds = {(each["kind"], each["state"]) for each in report["communication"]["collectives"]}
    assert {("all-gather", "wait"), ("reduce-scatter", "wait")} <= kinds
    assert "all-reduce" in {kind for kind, _ in kinds}
    spools = [path.read_text() for path in (tmp_path / ".narrows").glob("*/spool/*.jsonl")]
    assert not any('"fault"' in text for text in spools)


def test_ranks_that_the_job_spawns_itself(tmp_path: Path) -> None:
    start = """
if __name__ == "__main__":
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    torch.multiprocessing.spawn(main, args=(port,), nprocs=2)
"""
    (tmp_path / "train.py").write_text(RANKS + start)
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    assert (report["job"]["ranks"], len(report["ranks"])) == (2, 2)
    check_ledger(report)
