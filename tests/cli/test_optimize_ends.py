"""`narrows optimize` where nothing is to be tried, and where it is ended."""

from pathlib import Path

import pytest

from tests.cli.ending import told_to_end
from tests.cli.optimizing import TRAIN, narrows

pytest.importorskip("torch")
pytestmark = pytest.mark.torch


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
    told_to_end(
        tmp_path, "optimize", "--only", "loader-workers", "train.py", "100000",
        once=".narrows/*/trial1/spool/*.steps", after=1.0,
    )  # fmt: skip
    assert not list(tmp_path.glob(".narrows/*/trial*"))
