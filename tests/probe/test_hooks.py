"""What the probe says of torch; and that it leaves CUDA to the job."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from narrows.job.environment import environment
from narrows.probe import hooks, job
from narrows.spool.read import read

pytestmark = pytest.mark.torch
ASKED = """
import torch
assert not torch.cuda.is_initialized()
torch.cuda.device_count, torch.cuda.get_device_name = lambda: 1, {name}
for call, _ in torch.cuda._queued_calls:  # as where CUDA begins to be used
    call()
print("went on")
"""
FORKS = """
import multiprocessing
import torch

def child():
    print(torch.ones(3, device="cuda").sum().item())

process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join()
assert process.exitcode == 0
"""


def run(folder: Path, script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, **environment(folder, plan="none")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_devices_are_named_where_the_job_begins_to_use_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    run(tmp_path, ASKED.format(name="lambda i: 'one'"))
    (process,) = read(tmp_path)
    told = process.events["torch"]
    assert [(e["cuda"], e["devices"]) for e in told[:2]] == [(False, []), (True, ["one"])]
    assert told[0]["threads"] >= 1


def test_what_cannot_be_told_of_a_device_is_no_fault_of_the_job(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert run(tmp_path, ASKED.format(name="lambda i: 1 / 0")) == "went on\n"
    (process,) = read(tmp_path)
    assert "division" in str(process.events["fault"])


def test_whether_there_is_a_device_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has asked cannot fork one that uses it."""
    torch = pytest.importorskip("torch")
    told: list[dict[str, object]] = []
    monkeypatch.setattr(job, "spool", SimpleNamespace(event=lambda kind, **values: told.append(values)))
    monkeypatch.setattr(torch, "cuda", None)
    hooks.describe(torch, cuda=False)
    assert [(values["cuda"], values["devices"]) for values in told] == [(False, [])]


@pytest.mark.gpu
def test_a_job_may_fork_before_it_uses_cuda(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    assert run(tmp_path, FORKS).split() == ["3.0"]
