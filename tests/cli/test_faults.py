"""What goes wrong with one rank of a job: the report says with which, after how many steps, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.diagnosing import BIN, narrows

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

FAULTS = ("kill", "raise", "cut", "early", "hang")
"""One for each time that torchrun starts the ranks, so that one job shows them all."""
TRAIN = """
import os, signal, socket, stat, sys, time
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

def cut():
    for name in os.listdir("/proc/self/fd"):
        try:
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                each = socket.socket(fileno=os.dup(int(name)))
                each.getpeername()  # what listens is left alone
                each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

torch.set_num_threads(1)
attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]  # a store of its own for each: torchrun's keeps the old addresses
store = dist.FileStore(os.path.join(os.environ["STORES"], attempt), 2)
dist.init_process_group("gloo", store=store, rank=int(os.environ["RANK"]), world_size=2)
faults = sys.argv[1:]
fault = faults[int(attempt)] if faults and dist.get_rank() == 1 else ""
net = DistributedDataParallel(torch.nn.Linear(8, 8))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(20 if faults else 10**9):
    if step == 12:
        match fault:
            case "kill": os.kill(os.getpid(), signal.SIGKILL)
            case "raise": raise ValueError("bad sample")
            case "cut": cut()
            case "early": break
            case "hang": time.sleep(600)
    optimizer.zero_grad()
    net(torch.ones(4, 8)).sum().backward()
    optimizer.step()
"""


def line(text: str) -> str:
    return f"train.py:{next(n for n, each in enumerate(TRAIN.splitlines(), 1) if text in each)}"


def alive(folder: Path) -> list[str]:
    """Processes that were started there and still run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(folder):
                found.append(pid)
        except OSError:
            continue
    return found


def test_each_fault_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    out, stores = tmp_path / "report.json", tmp_path / "stores"
    stores.mkdir()
    job = subprocess.Popen(
        [sys.executable, "-m", "narrows", "diagnose", "--quiet", "--json", str(out), "torchrun", "--nproc-per-node", "2",
         "--max-restarts", str(len(FAULTS) - 1), "train.py", *FAULTS],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "PATH": BIN, "OMP_NUM_THREADS": "1", "STORES": str(stores)},
        # Processes that run tests beside each other ignore interrupts, and so do those that they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while hanging(tmp_path) < 2 and job.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        job.send_signal(signal.SIGINT)
        _, said = job.communicate(timeout=60)
    finally:
        job.kill()
    assert not alive(tmp_path), said
    report = json.loads(out.read_text())
    assert report["job"]["ended"] == "interrupted", said
    assert "step" in report["job"]["error"]
    fates = report["fates"]
    assert [(f["attempt"], f["rank"], f["steps"]) for f in fates] == [(n, r, 12) for r in range(2) for n in range(5)]
    one = [f for f in fates if f["rank"] == 1]
    assert [one[n]["how"] for n in (0, 1, 3)] == ["killed", "failed", "finished"]
    # torchrun ends the second to fail, if it is fast.
    assert sorted({f["how"] for f in fates if f["attempt"] == 2} | {"ended"}) == ["ended", "lost"]
    assert (one[0]["signal"], one[1]["error"], one[1]["where"]) == (
        "SIGKILL",
        "ValueError: bad sample",
        line("ValueError"),
    )
    assert [f["how"] for f in fates if f["rank"] == 0][3] == "lost"
    last = [(f["how"], f["where"], f["state"]) for f in fates if f["attempt"] == 4]
    assert last == [("stood", line("backward"), "wait"), ("stood", line('"hang"'), "tail")]
    again = report["measurement"]["warnings"]
    for what in (
        "rank 1 was killed (SIGKILL) after 12 steps",
        "ValueError: bad sample",
        "lost their connection",
        "ran to its end",
    ):
        assert any(what in warning for warning in again), again
    assert (
        report["job"]["error"]
        == f"rank 1 stood still after 12 steps at {line('hang')} (after the update), and the others waited for it"
    )


def hanging(folder: Path) -> int:
    """Ranks of the last start that have noted that they do not move."""
    texts = [path.read_text() for path in folder.glob(".narrows/*/spool/*.jsonl")]
    return sum('"updates":12' in text for text in texts if '"restart":4' in text)


def test_ranks_that_are_stopped_stop_at_the_same_step(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    done, report = narrows(
        tmp_path, "--steps", "30", "torchrun", "--nproc-per-node", "2", "train.py", PATH=BIN, OMP_NUM_THREADS="1",
        STORES=str(tmp_path),
    )  # fmt: skip
    assert (done.returncode, report["job"]["ended"], report["fates"]) == (0, "stopped", None), done.stderr
    assert "Traceback" not in done.stderr
    assert not alive(tmp_path)
