"""`narrows ceiling`, with an interpreter that does not measure."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.machine.conftest import Interpreter

Narrows = Callable[..., subprocess.CompletedProcess[str]]
Measuring = Callable[..., Interpreter]


@pytest.fixture
def narrows(tmp_path: Path) -> Narrows:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "120"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "narrows", "ceiling", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    return run


def test_prints_a_table_on_standard_output(narrows: Narrows, measuring: Measuring) -> None:
    done = narrows("--python", measuring().path, "--threads", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "matrix product, float32" in done.stdout
    assert "200 Gop/s" in done.stdout
    assert "all-reduce, 2 ranks (gloo), latency" in done.stdout
    assert "2 threads, torch 9.9" in done.stdout
    assert "\x1b" not in done.stdout


def test_json_takes_standard_output(narrows: Narrows, measuring: Measuring) -> None:
    done = narrows("--python", measuring().path, "--threads", "2", "--json", "-")
    values = json.loads(done.stdout)
    assert values["schema"] == "narrows.ceilings/1"
    assert values["threads"] == 2
    assert values["machine"]["ceilings"]["flops"]["bfloat16"] == 4e11


def test_json_goes_to_a_file_beside_the_table(narrows: Narrows, measuring: Measuring, tmp_path: Path) -> None:
    done = narrows("--python", measuring().path, "--json", str(tmp_path / "out.json"))
    assert "memory, copy" in done.stdout
    assert json.loads((tmp_path / "out.json").read_text())["torch"] == "9.9"


def test_refresh_measures_again(narrows: Narrows, measuring: Measuring) -> None:
    fake = measuring()
    for words in ((), (), ("--refresh",)):
        narrows("--python", fake.path, *words)
    assert ["--ranks" in words for words in fake.asked()] == [False, True] * 2


def test_a_busy_machine_is_said(narrows: Narrows, measuring: Measuring) -> None:
    assert "waited 50% of the time" in narrows("--python", measuring(busy=0.5).path).stdout


@pytest.mark.parametrize("body", ["sys.exit(3)", "print('rubbish')"])
def test_one_sentence_and_125_if_it_cannot_be_measured(
    narrows: Narrows, interpreter: Callable[[str], Interpreter], body: str
) -> None:
    done = narrows("--python", interpreter(body).path)
    assert (done.returncode, done.stdout) == (125, "")
    assert "could not be measured" in done.stderr


def test_one_sentence_and_125_without_torch(narrows: Narrows, tmp_path: Path) -> None:
    done = narrows("--python", str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.count("\n") == 1
    assert "has no torch" in done.stderr
