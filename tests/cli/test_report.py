"""`narrows report`: opens a saved report, runs nothing, and says in one sentence what is wrong with anything else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from narrows.report.model import encode
from tests.report import sample


def narrows(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "narrows", "report", *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "saved.json"
    path.write_bytes(encode(sample.training()))
    return path


def test_in_the_terminal(saved: Path) -> None:
    done = narrows(str(saved))
    assert (done.returncode, done.stdout) == (0, "")
    assert "49% of each step waits for the next batch." in done.stderr
    assert "\x1b" not in done.stderr


def test_as_json_and_html_in_chinese(saved: Path, tmp_path: Path) -> None:
    done = narrows(str(saved), "--json", "-", "--html", str(tmp_path / "page.html"), "--lang", "zh")
    assert json.loads(done.stdout) == json.loads(saved.read_text())
    assert "账本" in done.stderr
    assert "账本" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"\x80\x00junk", "not a narrows report"),
        (b"[]", "not a narrows report"),
        (encode(sample.training()).replace(b"narrows.report/1", b"narrows.report/9"), "schema narrows.report/9"),
    ],
)
def test_what_is_no_report(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "saved.json"
    if content is not None:
        path.write_bytes(content)
    done = narrows(str(path))
    assert done.returncode == 125
    assert why in done.stderr
    assert done.stderr.startswith("narrows: ")
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    done = narrows(str(tmp_path))
    assert done.returncode == 125
    assert done.stderr.count("\n") == 1
