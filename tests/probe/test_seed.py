"""Random numbers in a trial: the same with the same seed, others with another, also where the job seeds itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from narrows.job.environment import environment

JOB = """
import random
import numpy
import torch
{own}
print(torch.rand(1).item(), numpy.random.rand(), random.random(), *drawn)
"""
OWN = """
torch.manual_seed(0)
numpy.random.seed(0)
random.seed(0)
drawn = [numpy.random.default_rng(0).random(), numpy.random.default_rng(seed=0).random()]
"""


def drawn(folder: Path, own: str, **told: int) -> list[str]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", JOB.replace("{own}", own)], capture_output=True, text=True, timeout=100, check=True,
        env={**os.environ, **environment(folder, plan="none", **told)},
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.torch
@pytest.mark.parametrize("own", ["drawn = []", OWN])
def test_a_seed_decides_what_is_drawn(tmp_path: Path, own: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")
    first, again, other = (drawn(tmp_path / str(i), own, seed=seed) for i, seed in enumerate((0, 0, 1)))
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


@pytest.mark.torch
def test_the_jobs_own_seeds_are_its_own_where_none_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")
    assert drawn(tmp_path / "plain", OWN) == drawn(tmp_path / "first", OWN, seed=0)
