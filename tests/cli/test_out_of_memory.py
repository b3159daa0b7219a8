"""Real jobs that run out of memory, the whole way: what they say passes through, and the report says the rest."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from narrows.report.capacity import OutOfMemory
from narrows.report.faces import markdown
from narrows.report.language import words
from narrows.report.model import Report, decode

pytest.importorskip("torch")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(sys.platform != "linux", reason="NO LIMITS: only Linux keeps these"),
]

MIB = 1 << 20
TAKEN = 80 * MIB
"""What malloc may take of the addresses to try once more (64 MiB), and a little else."""
HEAD = """
import os, sys, resource
import torch
import numpy as np

def limited(more, which=resource.RLIMIT_AS):
    names = {resource.RLIMIT_AS: "VmSize:", resource.RLIMIT_DATA: "VmData:"}
    used = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(names[which])) * 1024
    resource.setrlimit(which, (used + more, used + more))

torch.set_num_threads(1)
net = torch.nn.Sequential(torch.nn.Linear(512, 1024), torch.nn.ReLU(), torch.nn.Linear(1024, 512))
optimizer = torch.optim.Adam(net.parameters())
x = torch.randn(8, 512)

def step(x):
    loss = net(x).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()

for _ in range(20):
    step(x)
"""
PARAMETERS = (512 * 1024 + 1024 + 1024 * 512 + 512) * 4


def ran(folder: Path, body: str, *before: str) -> tuple[subprocess.CompletedProcess[str], Report]:
    (folder / "train.py").write_text(HEAD + body)
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "diagnose", "--json", "report.json", *before, sys.executable, "train.py"],
        capture_output=True, text=True, cwd=folder, timeout=200, check=False, env={**os.environ, "NARROWS_DEBUG": ""},
    )  # fmt: skip
    assert not re.search("src/narrows/(?!probe/(hooks|windows)/)", done.stderr), "a traceback of our own"
    return done, decode((folder / "report.json").read_bytes())


def said(done: subprocess.CompletedProcess[str]) -> str:
    """In one line: the report is broken into lines where it comes to the edge."""
    return " ".join(done.stderr.split())


def line(folder: Path, text: str) -> int:
    """The number of the first line that has the text."""
    lines = (folder / "train.py").read_text().splitlines()
    return next(number for number, each in enumerate(lines, 1) if text in each)


def crash(report: Report) -> OutOfMemory:
    assert report.out_of_memory is not None
    assert report.job.ended == "out_of_memory"
    return report.out_of_memory


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("print('done')\n", 0),
        (
            "limited(512 << 20)\nsize = 1 << 20\n"
            "while True:\n"
            "    try:\n        torch.ones(size, 1024)\n        break\n"
            "    except RuntimeError as error:\n        assert 'allocate' in str(error)\n        size //= 2\n"
            "print('done')\n",
            0,
        ),
        ("try:\n    limited(1 << 28)\n    np.ones(1 << 33)\nexcept MemoryError:\n    pass\nprint('done')\nsys.exit(3)\n", 3),
        ("print('done')\nraise RuntimeError('there is not enough memory of last year')\n", 1),
        ("print('done')\ntorch.ones(2) @ torch.ones(3)\n", 1),
    ],
)  # fmt: skip
def test_what_is_no_crash_for_memory(tmp_path: Path, body: str, code: int) -> None:
    done, report = ran(tmp_path, body)
    assert (done.returncode, done.stdout) == (code, "done\n")
    assert report.out_of_memory is None
    assert report.job.ended == ("error" if code else "ok")
    assert "Out of memory" not in done.stderr


def test_torch_under_a_limit_of_addresses(tmp_path: Path) -> None:
    body = "limited(1 << 30)\nbig = torch.zeros(1 << 18, 512)\nstep(big)\n"
    done, report = ran(tmp_path, body)
    assert done.returncode == 1
    assert "DefaultCPUAllocator: can't allocate memory" in done.stderr
    told = crash(report)
    assert told.asked_bytes == (1 << 18) * 1024 * 4
    assert told.where == f"train.py:{line(tmp_path, 'loss = net')}"
    assert (told.what, told.op) == ("loss = net(x).square().mean()", "torch.nn.modules.linear.Linear.forward")
    assert (told.state, told.limit_kind, told.updates, told.killed) == ("forward", "address_space", 20, False)
    # Half of the room was taken by the batch, so half of what was asked for was missing.
    assert told.missed_bytes is not None
    assert 496 * MIB < told.missed_bytes < 512 * MIB + TAKEN
    assert told.held_bytes is not None
    assert told.limit_bytes is not None
    assert -16 * MIB < told.held_bytes - (told.limit_bytes - 512 * MIB) < TAKEN
    assert told.parts is not None
    assert (told.parts.parameters, told.parts.gradients) == (PARAMETERS, 0)
    assert told.parts.optimizer == pytest.approx(2 * PARAMETERS, abs=64)
    assert f"Out of memory at {told.where}: 1.00 GiB were asked for" in said(done)
    assert "short of the limit (address space" in said(done)


def test_a_backward(tmp_path: Path) -> None:
    """What it made before it failed is let go of, and counted all the same."""
    body = "w = torch.zeros(1 << 26, requires_grad=True)\nlimited(700 << 20)\n(w * w).exp().sum().backward()\n"
    done, report = ran(tmp_path, body)
    told = crash(report)
    assert done.returncode == 1
    assert (told.state, told.op, told.asked_bytes) == ("backward", None, 256 * MIB)
    assert told.missed_bytes is not None
    assert 0 < told.missed_bytes <= 256 * MIB
    assert told.held_bytes is not None
    assert told.limit_bytes is not None
    assert told.missed_bytes == told.asked_bytes - (told.limit_bytes - told.held_bytes)


def test_an_array_of_numpy_and_where_in_the_users_code(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("import numpy as np\n\n\ndef make(n):\n    return np.tile(np.ones(1), n)\n")
    done, report = ran(tmp_path, "limited(256 << 20)\nfrom data import make\nmake(1 << 27)\n")
    assert done.returncode == 1
    assert "MemoryError: Unable to allocate 1.00 GiB" in done.stderr
    told = crash(report)
    assert (told.asked_bytes, told.limit_kind) == (1 << 30, "address_space")
    assert (told.where, told.what) == ("data.py:5", "return np.tile(np.ones(1), n)")
    assert told.op is not None
    assert told.op.startswith("numpy.")
    assert told.missed_bytes is not None
    assert 752 * MIB < told.missed_bytes < 768 * MIB + TAKEN


def test_a_limit_of_data_that_the_command_sets(tmp_path: Path) -> None:
    done, report = ran(tmp_path, "torch.ones(1 << 29)\n", "prlimit", f"--data={1 << 30}")
    assert done.returncode == 1
    told = crash(report)
    assert (told.asked_bytes, told.limit_kind, told.limit_bytes) == (2 << 30, "data", 1 << 30)
    assert told.missed_bytes is not None
    assert 1 << 30 < told.missed_bytes < 2 << 30


def test_more_than_the_machine_has(tmp_path: Path) -> None:
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "1":
        pytest.skip("NO LIMIT: this machine promises any amount")
    _, report = ran(tmp_path, "torch.empty(1 << 50, dtype=torch.uint8)\n")
    told = crash(report)
    assert (told.asked_bytes, told.limit_kind) == (1 << 50, "machine")
    assert told.missed_bytes is not None


def test_an_error_that_was_raised_from_it(tmp_path: Path) -> None:
    body = "limited(64 << 20)\ntry:\n    np.ones(1 << 30)\nexcept MemoryError as error:\n    raise ValueError('no') from error\n"
    done, report = ran(tmp_path, body)
    assert "ValueError: no" in done.stderr
    assert crash(report).where == f"train.py:{line(tmp_path, 'np.ones(1 << 30)')}"


def test_a_worker_of_the_loader(tmp_path: Path) -> None:
    body = (
        "class Data(torch.utils.data.Dataset):\n    def __len__(self): return 4\n"
        "    def __getitem__(self, i):\n        return np.ones(1 << 30)\n"
        "limited(512 << 20)\nfor _ in torch.utils.data.DataLoader(Data(), num_workers=1): pass\n"
    )
    _, report = ran(tmp_path, body)
    told = crash(report)
    assert (told.asked_bytes, told.state) == (8 << 30, "next")
    assert told.where == f"train.py:{line(tmp_path, 'return np.ones')}"
    assert (told.parts, told.missed_bytes) == (None, None)


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of its own, of 400 MiB."""
    made = None
    for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        path = Path(root) / f"narrows-test-{os.getpid()}"
        try:
            path.mkdir()
            made = path
            (path / limit).write_text(str(400 * MIB))
            for name in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
                if (path / name).exists():
                    (path / name).write_text(str(400 * MIB) if "memsw" in name else "0")
            break
        except OSError:
            if made is not None:
                made.rmdir()
                made = None
    if made is None:
        pytest.skip("NO CONTROL GROUP: none can be made here")
    yield made
    for _ in range(50):
        try:
            made.rmdir()
            break
        except OSError:
            time.sleep(0.1)


def inside(group: Path) -> tuple[str, ...]:
    return "sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"


def test_a_job_that_the_kernel_kills(tmp_path: Path, group: Path) -> None:
    done, report = ran(tmp_path, "kept = []\nwhile True:\n    kept.append(torch.ones(4 << 20))\n", *inside(group))
    assert done.returncode == 137
    told = crash(report)
    assert (told.killed, told.asked_bytes, told.where, told.updates) == (True, None, None, 20)
    assert (told.limit_kind, told.limit_bytes) == ("cgroup", 400 * MIB)
    assert told.parts is not None
    assert told.parts.parameters == PARAMETERS
    assert told.parts.optimizer == pytest.approx(2 * PARAMETERS, abs=64)
    assert "Out of memory: the kernel killed it at the limit (control group, 400 MiB), after 20 updates." in said(done)
    assert "内存不足：20 次更新之后" in markdown.render(report, words("zh"))


def test_a_loaders_worker_that_the_kernel_kills(tmp_path: Path, group: Path) -> None:
    body = (
        "class Data(torch.utils.data.Dataset):\n    def __len__(self): return 4\n"
        "    def __getitem__(self, i):\n        return [torch.ones(4 << 20) for _ in range(400)]\n"
        "for _ in torch.utils.data.DataLoader(Data(), num_workers=1): pass\n"
    )
    done, report = ran(tmp_path, body, *inside(group))
    assert done.returncode == 1
    told = crash(report)
    assert (told.killed, told.limit_kind) == (True, "cgroup")
    assert "DataLoader worker" in (told.message or "")


def test_the_early_look_is_in_no_timed_step(tmp_path: Path) -> None:
    from narrows.spool.read import read

    _, _ = ran(tmp_path, "print('done')\n")
    (run,) = [path for path in (tmp_path / ".narrows").iterdir() if path.is_dir()]
    (process,) = [p for p in read(run / "spool") if p.boundaries]
    looks: list[Any] = [e["t"] for e in process.events["memory"]]
    assert len(looks) == 2
    updates = [mark for mark in process.boundaries if mark.kind == 0]
    assert updates[0].end_ns < looks[0] < updates[1].end_ns
    assert updates[1].disturbed
