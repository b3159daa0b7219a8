"""The whole way, with real jobs: what a user types, and what comes out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.diagnosing import narrows, write

pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def test_a_report_on_standard_output_stands_there_alone(script: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "narrows", "diagnose", "--quiet", "--json", "-", "train.py"],
                          capture_output=True, text=True, cwd=script.parent, timeout=200, check=True)  # fmt: skip
    assert json.loads(done.stdout)["job"]["ended"] == "ok"
    assert "argv ['train.py']" in done.stderr


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
