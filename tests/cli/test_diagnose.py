"""The whole way, with real jobs: what a user types, and what comes out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from narrows.spool.read import read

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

TRAIN = """
import sys, os, time
import torch
net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
x, y = torch.randn(64, 16), torch.randn(64, 1)
for step in range(int(os.environ.get("STEPS", "120"))):
    loss = ((net(x) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    {extra}
print("argv", sys.argv, __name__, __file__)
"""


def narrows(folder: Path, *words: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run `narrows diagnose` and read the JSON it wrote."""
    out = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "diagnose", "--json", str(out), *words],
        capture_output=True, text=True, cwd=folder, timeout=200, check=False,
        env={**os.environ, "NARROWS_DEBUG": "", **environment},
    )  # fmt: skip
    assert "src/narrows/" not in done.stderr, "a traceback of our own"
    return done, json.loads(out.read_text()) if out.exists() else {}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return write(tmp_path)


def write(folder: Path, extra: str = "pass") -> Path:
    path = folder / "train.py"
    path.write_text(TRAIN.replace("{extra}", extra))
    return path


def check_ledger(report: dict[str, Any]) -> dict[str, float]:
    step = report["step"]["median_seconds"]
    assert sum(row["seconds"] for row in report["ledger"]) == pytest.approx(step, rel=0.02)
    assert all(row["seconds"] >= row["floor_seconds"] >= 0 for row in report["ledger"])
    assert report["limit"]["ideal_seconds"] <= report["limit"]["same_ops_seconds"] <= step
    shares = {row["cause"]: row["share"] for row in report["ledger"]}
    assert shares["unexplained"] < 0.05
    return shares


def test_a_training_script(script: Path) -> None:
    done, report = narrows(script.parent, "train.py", "--steps", "9", "--", "-x")
    assert done.returncode == 0
    assert done.stdout == "argv ['train.py', '--steps', '9', '--', '-x'] __main__ " + f"{script.parent}/train.py\n" or (
        "['train.py', '--steps', '9', '--', '-x'] __main__ train.py" in done.stdout
    )
    assert (report["job"]["type"], report["job"]["ended"], report["step"]["count"]) == ("training", "ok", 120)
    shares = check_ledger(report)
    assert report["verdict"]["cause"] == max(shares, key=lambda cause: shares[cause]) == "overhead"
    assert report["health"]["loss_first"] > report["health"]["loss_last"]


def test_a_report_on_standard_output_stands_there_alone(script: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "narrows", "diagnose", "--quiet", "--json", "-", "train.py"],
                          capture_output=True, text=True, cwd=script.parent, timeout=200, check=True)  # fmt: skip
    assert json.loads(done.stdout)["job"]["ended"] == "ok"
    assert "argv ['train.py']" in done.stderr


def test_sleeping_in_the_loop_is_host_and_names_the_line(tmp_path: Path) -> None:
    write(tmp_path, "time.sleep(0.02)")  # long beside what a busy machine makes of the rest
    _, report = narrows(tmp_path, "python", "train.py", PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert check_ledger(report)["host"] > 0.8
    assert report["verdict"]["cause"] == "host"
    found = next(f for f in report["findings"] if f["id"] == "host-line")
    assert found["where"] == "train.py:12"


def test_a_crash_keeps_its_traceback_its_code_and_its_steps(tmp_path: Path) -> None:
    write(tmp_path, "assert step < 39, 'enough'")
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 1
    assert "AssertionError: enough" in done.stderr
    assert (report["job"]["ended"], report["job"]["error"]) == ("error", "AssertionError: enough")
    assert report["step"]["count"] == 40


def test_a_job_that_is_killed_has_its_report(tmp_path: Path) -> None:
    write(tmp_path, "step == 60 and os.kill(os.getpid(), 9)")
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 137
    assert report["job"]["ended"] == "signal"
    assert report["step"]["count"] == 61


def test_steps_stop_the_job_quietly(script: Path) -> None:
    done, report = narrows(script.parent, "--steps", "20", "train.py", STEPS="1000000")
    assert (done.returncode, report["job"]["ended"]) == (0, "stopped")
    assert 20 <= report["step"]["steady_count"] < 200


def test_steps_that_are_not_reached_are_said(script: Path) -> None:
    _, report = narrows(script.parent, "--steps", "5000", "train.py")
    assert any("5000" in text for text in report["measurement"]["warnings"])


@pytest.mark.parametrize("flags", [["-I"], ["-S", "-E"]])
def test_where_the_probe_cannot_get_in_the_job_still_runs(tmp_path: Path, flags: list[str]) -> None:
    done, report = narrows(tmp_path, sys.executable, *flags, "-c", "print('here'); raise SystemExit(3)")
    assert (done.returncode, done.stdout) == (3, "here\n")
    assert "probe could not get into" in report["measurement"]["warnings"][0]


def test_code_on_the_command_line_and_a_module(script: Path) -> None:
    done, report = narrows(script.parent, sys.executable, "-c", script.read_text().replace("__file__", "1"))
    assert done.returncode == 0
    assert report["job"]["type"] == "training"
    done, _ = narrows(script.parent, "-m", "train", "a", "b")
    assert "'a', 'b'] __main__" in done.stdout


def test_a_sitecustomize_that_was_there_still_runs_and_the_path_is_clean(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.was_here = 1\n")
    done, _ = narrows(
        tmp_path, sys.executable, "-c", "import sys; print(was_here, [p for p in sys.path if 'probe' in p])",
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    assert done.stdout == "1 []\n"


def test_a_job_without_steps_says_where_the_time_went(tmp_path: Path) -> None:
    _, report = narrows(tmp_path, sys.executable, "-c", "import torch, time; time.sleep(0.3)")
    assert report["job"]["type"] == "none"
    assert report["step"] is None
    assert sum(part["seconds"] for part in report["wall"]) == pytest.approx(report["job"]["wall_seconds"], rel=0.1)


def test_hard_jobs_end_as_without_narrows(tmp_path: Path) -> None:
    write(
        tmp_path,
        "step == 30 and os.closerange(3, 100); step == 40 and os.chdir('/'); "
        "step == 50 and os.fork() == 0 and os._exit(0); sys.excepthook = None",
    )
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0
    assert report["step"]["count"] == 120


def test_a_missing_command_and_a_wrong_option_are_one_sentence(tmp_path: Path) -> None:
    done, _ = narrows(tmp_path, "no-such-thing")
    assert (done.returncode, done.stderr) == (127, "narrows: there is no command no-such-thing\n")
    done, _ = narrows(tmp_path, "--lang", "xx", "true")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_gan_a_closure_and_an_inference(tmp_path: Path) -> None:
    closure = """
import torch
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.LBFGS(net.parameters(), max_iter=4)
x, y = torch.randn(64, 8), torch.randn(64, 1)
def closure():
    optimizer.zero_grad()
    loss = ((net(x) - y) ** 2).mean()
    loss.backward()
    return loss
for step in range(60):
    optimizer.step(closure)
"""
    (tmp_path / "closure.py").write_text(closure)
    _, report = narrows(tmp_path, "closure.py")
    assert (report["job"]["type"], report["step"]["count"]) == ("training", 60)
    assert report["phases"]["forward"] > 0
    serve = "import torch\nnet = torch.nn.Linear(64, 64)\nfor _ in range(200):\n    net(torch.randn(4, 64))\n"
    (tmp_path / "serve.py").write_text(serve)
    _, report = narrows(tmp_path, "serve.py")
    assert report["job"]["type"] == "inference"
    assert report["step"]["latency"]["p50"] <= report["step"]["latency"]["p99"]
    assert any(f["id"] == "gradients-in-inference" for f in report["findings"])


WORKERS = """
import torch
from torch.utils.data import DataLoader, Dataset
class Numbers(Dataset):
    def __len__(self): return 400
    def __getitem__(self, i): return sum(j * j for j in range(2000)) * 0 + torch.full((8,), float(i))
if __name__ == "__main__":
    net = torch.nn.Linear(8, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
    seen = []
    for x in DataLoader(Numbers(), batch_size=4, num_workers=2{context}):
        seen.append(x[:, 0].tolist())
        optimizer.zero_grad()
        net(x).mean().backward()
        optimizer.step()
    assert seen == [[float(i + j) for j in range(4)] for i in range(0, 400, 4)]
"""


THREAD = """
import queue, threading, torch
def make():
    for i in range(0, 1600, 4):
        sum(j * j for j in range(8000))
        batches.put(torch.arange(i, i + 4).float()[:, None].expand(4, 8))
batches = queue.Queue(4)
threading.Thread(target=make, daemon=True).start()
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
seen = []
for _ in range(400):
    x = batches.get()
    seen += x[:, 0].tolist()
    optimizer.zero_grad()
    net(x).mean().backward()
    optimizer.step()
assert seen == [float(i) for i in range(1600)]
"""


def test_a_thread_that_makes_batches_pauses_too(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(THREAD)
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    assert check_ledger(report)["input"] > 0.3
    check_paused(tmp_path)


@pytest.mark.parametrize("context", ["", ', multiprocessing_context="spawn"'])
def test_workers_pause_for_a_look_and_the_batches_stay_what_they_are(tmp_path: Path, context: str) -> None:
    (tmp_path / "train.py").write_text(WORKERS.replace("{context}", context))
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    shares = check_ledger(report)
    assert shares["input"] > 0.3
    check_paused(tmp_path)


def check_paused(folder: Path) -> None:
    (run,) = [path for path in (folder / ".narrows").iterdir() if path.is_dir()]
    found = read(run / "spool")
    assert sum(len(event["ns"]) for p in found for event in p.events.get("alone", ())) >= 4
    assert not [event for p in found for event in p.events.get("fault", ())]
