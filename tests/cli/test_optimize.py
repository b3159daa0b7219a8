"""`narrows optimize` and `narrows run`, the whole way. What is removed sleeps for most of the step."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

TRAIN = """
import sys, time, torch
from torch.utils.data import DataLoader, Dataset
torch.manual_seed(0)
class Slow(Dataset):
    def __len__(self): return 1200
    def __getitem__(self, i):
        time.sleep(0.004)
        x = torch.randn(8, generator=torch.Generator().manual_seed(i))
        return x, x.sum()[None]
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loader = DataLoader(Slow(), batch_size=4)
with open("log.txt", "a") as log:
    for step, (x, y) in enumerate(loader):
        if step == int(sys.argv[1]): break
        loss = ((net(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        time.sleep(0.012)
        log.write(f"{step}\\n")
print("workers", loader.num_workers)
"""


def narrows(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "narrows", *words], cwd=folder, capture_output=True, text=True, timeout=580, check=False,
        env={**os.environ, "NARROWS_DEBUG": "", **environment},
    )  # fmt: skip
    assert "src/narrows/" not in done.stderr, "a traceback of our own"
    return done


@pytest.fixture(scope="module")
def optimized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("job")
    (folder / "train.py").write_text(TRAIN)
    (folder / "log.txt").write_text("before\n")
    done = narrows(
        folder, "optimize", "--only", "loader-workers", "--steps", "24", "--json", "out.json", "train.py", "300"
    )
    if "no way to keep a trial" in done.stderr:
        pytest.skip("no overlays here")
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "out.json").read_text()), done.stderr


def test_what_was_proven_is_a_recipe(optimized: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, shown = optimized
    assert report["kind"] == "optimize"
    assert report["recipe"]["speedup"] > 1.2
    assert report["recipe"]["ci95"][0] > 1
    kept = [trial for trial in report["trials"] if trial["kept"]]
    assert [trial["remedy"] for trial in kept] == ["loader-workers"]
    assert kept[0]["parity"] == "same"
    after = {row["cause"]: row["seconds"] for row in report["recipe"]["ledger"]}
    before = {row["cause"]: row["seconds"] for row in report["ledger"]}
    assert after["input"] < before["input"] / 2
    assert "narrows run --recipe narrows.toml" in shown
    assert "num_workers=" in (folder / "narrows.toml").read_text()


def test_trials_write_nothing_and_leave_nothing(optimized: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = optimized
    assert (folder / "log.txt").read_text() == "before\n"
    assert {p.name for p in folder.iterdir()} == {
        "train.py", "log.txt", "out.json", "narrows.toml", "narrows.patch", ".narrows"
    }  # fmt: skip
    assert not list((folder / ".narrows").glob("*/trial*"))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in running


def test_the_patch_does_the_same_by_hand(optimized: tuple[Path, dict[str, Any], str], tmp_path: Path) -> None:
    folder, report, shown = optimized
    assert report["recipe"]["patch"] == "narrows.patch"
    assert "git apply narrows.patch" in shown
    (tmp_path / "train.py").write_text(TRAIN)
    subprocess.run(["git", "apply", folder / "narrows.patch"], cwd=tmp_path, check=True)
    workers = report["recipe"]["remedies"][0].partition("=")[2]
    assert f"batch_size=4, num_workers={workers}, persistent_workers=True)" in (tmp_path / "train.py").read_text()


def test_the_recipe_is_applied_and_the_job_is_the_jobs(optimized: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, _ = optimized
    done = narrows(folder, "run", "--recipe", "narrows.toml", "train.py", "5")
    assert done.returncode == 0
    assert done.stdout == f"workers {report['recipe']['remedies'][0].partition('=')[2]}\n"
    assert "narrows" not in done.stderr  # torch itself may have something to say of more workers than cores
    assert (folder / "log.txt").read_text() == "before\n" + "".join(f"{i}\n" for i in range(5))


def test_what_does_not_hold_here_is_said_and_the_rest_applied(
    optimized: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> None:
    folder, _, _ = optimized
    text = (folder / "narrows.toml").read_text()
    text = text.replace("cores = ", "cores = 9").replace('torch = "', 'torch = "0.')
    (tmp_path / "other.toml").write_text(text + '\n[[remedy]]\nname = "unheard-of"\nvalue = true\n')
    (tmp_path / "train.py").write_text(TRAIN)
    done = narrows(tmp_path, "run", "--recipe", "other.toml", "train.py", "5")
    assert done.returncode == 0
    assert "workers 0" not in done.stdout
    assert done.stderr.count("narrows: ") == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("run", "--recipe", "none.toml", "x.py"), 2, "there is no recipe none.toml"),
        (("optimize", "--only", "magic", "x.py"), 2, "there is no remedy magic"),
        (("optimize", "--budget", "soon", "x.py"), 2, "write it as"),
        (("optimize", "missing.py"), 127, "there is no file missing.py"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = narrows(tmp_path, *words)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_job_that_fails_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("raise SystemExit(7)")
    done = narrows(tmp_path, "optimize", "train.py")
    assert done.returncode == 7
    assert "exit code 7" in done.stderr


def test_an_end_from_outside_leaves_no_process_behind(tmp_path: Path) -> None:
    """Trials are held most of the time: nobody else would let them go."""
    (tmp_path / "train.py").write_text(TRAIN)
    job = subprocess.Popen(
        [sys.executable, "-m", "narrows", "optimize", "--only", "loader-workers", "train.py", "100000"], cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(tmp_path.glob(".narrows/*/trial1/spool/*.steps")):
        time.sleep(0.2)
        assert job.poll() is None
    time.sleep(1.0)
    job.terminate()
    _, said = job.communicate(timeout=60)
    assert job.returncode == 130
    assert "src/narrows/" not in said
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in running
    assert not list(tmp_path.glob(".narrows/*/trial*"))


DEEP = r"""
import re
import torch
from torch import nn
torch.manual_seed(0)
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(8, 1024), nn.Linear(1024, 8)
    def forward(self, x):
        return x + self.down(torch.tanh(self.up(x)))
model = nn.Sequential(*[Block() for _ in range(6)])
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(2500, 8), torch.randn(2500, 8)
for step in range(100):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
"""
"""Keeps six times 2500 rows of 1024 numbers twice: 117 MiB, in blocks that the C library is told to give back at once.
What it says of its peak is its own: `ru_maxrss` begins with that of the process that started it."""


@pytest.mark.timeout(600)  # two dozen processes, on a machine that may be busy
def test_a_job_is_made_to_fit_at_a_cost_in_time(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(DEEP)
    unbroken = {"MALLOC_MMAP_THRESHOLD_": str(1 << 20)}
    alone = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, capture_output=True, check=True,
                           env={**os.environ, **unbroken})  # fmt: skip
    limit = int(alone.stdout) // 1024 - 40
    done = narrows(
        tmp_path, "optimize", "--memory", f"{limit}MiB", "--only", "activation-checkpointing", "--json", "out.json",
        "--steps", "8", "train.py", **unbroken,
    )  # fmt: skip
    if "no way to keep a trial" in done.stderr:
        pytest.skip("no overlays here")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    room = report["recipe"]["room"]
    assert room["before_bytes"] > limit << 20 > room["after_bytes"]
    assert room["fits"]
    # Which blocks are computed again is what the machine's times decide: any setting with which it fits may be the cheapest.
    (kept,) = report["recipe"]["remedies"]
    assert kept.startswith("activation-checkpointing=")
    assert report["recipe"]["pairs"] == 6
    assert report["recipe"]["parity"] == "same"
    assert "It fits" in done.stderr
    assert "at most" in (tmp_path / "narrows.toml").read_text()
