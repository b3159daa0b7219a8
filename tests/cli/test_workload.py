"""`narrows workload`, the whole way: what a user types, and what comes out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def narrows(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "narrows", "workload", *words], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
    )  # fmt: skip


def test_without_a_name_it_lists_them(tmp_path: Path) -> None:
    done = narrows(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("@fcnn", "@char-lm", "licence", "overhead"):
        assert text in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("nothing",), 127, "there is no workload @nothing; there are: @"),
        (("--all", "fcnn"), 2, "--all trains every workload: name none"),
        (("--markdown", "x.md"), 2, "--markdown is for --all"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(words: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    done = narrows(tmp_path, *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"narrows: {says}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.torch
def test_one_trains_is_kept_and_answers_by_either_name(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    trained = narrows(tmp_path, "fcnn", "--steps", "2000")
    assert trained.returncode == 0
    assert "baseline" in trained.stdout.splitlines()[-1]
    assert "better than the baseline" in trained.stderr
    answered = narrows(tmp_path, "@fcnn", "--infer", "1 2 3 4 5 6 7 8 9 10")
    assert answered.stdout.strip().endswith(": yes")
    wrong = narrows(tmp_path, "fcnn", "--infer", "1 2")
    assert wrong.returncode == 2
    assert "ten numbers, not 2" in wrong.stderr
