"""Any launcher: what starts the process that steps, narrows is in it."""

import sys
from pathlib import Path

import pytest

from tests.cli.diagnosing import BIN, TRAIN, check_ledger, narrows, write

pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def test_accelerate_launch(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    write(tmp_path)
    done, report = narrows(
        tmp_path, "accelerate", "launch", "--cpu", "--num_processes", "1", "train.py", "--x", PATH=BIN
    )
    assert done.returncode == 0, done.stderr
    assert "['train.py', '--x'] __main__" in done.stdout
    assert report["step"]["count"] == 120
    check_ledger(report)


RAY = """
import torch, ray
from ray.train import ScalingConfig
from ray.train.torch import TorchTrainer, prepare_model

def loop(config):
    torch.set_num_threads(1)
    model = prepare_model(torch.nn.Linear(64, 8))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(60):
        optimizer.zero_grad()
        model(torch.randn(16, 64)).square().mean().backward()
        optimizer.step()

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
TorchTrainer(loop, scaling_config=ScalingConfig(num_workers=2)).fit()
"""


def test_the_workers_of_ray_train_are_ranks(tmp_path: Path) -> None:
    pytest.importorskip("ray.train", exc_type=ImportError)
    (tmp_path / "train.py").write_text(RAY)
    done, report = narrows(tmp_path, "train.py", RAY_USAGE_STATS_ENABLED="0")
    assert done.returncode == 0, done.stderr
    assert (report["job"]["ranks"], report["step"]["count"]) == (2, 60)
    assert check_ledger(report)["communication"] > 0
    assert "stood still" not in done.stderr


def test_a_job_that_starts_the_one_that_trains(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "start.sh").write_text(f"#!/bin/sh\n{sys.executable} train.py --a\nexit 4\n")
    (tmp_path / "start.sh").chmod(0o755)
    done, report = narrows(tmp_path, "./start.sh")
    assert done.returncode == 4
    assert "['train.py', '--a'] __main__" in done.stdout
    assert report["step"]["count"] == 120


def test_a_script_in_another_folder_that_imports_its_siblings(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "sibling.py").write_text(TRAIN.replace("{extra}", "pass"))
    (tmp_path / "deep" / "train.py").write_text("import sibling\n")
    (tmp_path / "deep" / "train.py").chmod(0o755)
    done, report = narrows(tmp_path, "deep/train.py")
    assert done.returncode == 0, done.stderr
    assert report["step"]["count"] == 120
