"""Which files of a job are the user's own."""

from pathlib import Path

import pytest

from narrows.trials import script

PLACES = ("train.py", "data.py", "net/__init__.py", "net/block.py", "net/parts.py", "apart.py")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net").mkdir()
    for place in PLACES:
        (tmp_path / place).write_text("import train\n")
    (tmp_path / "train.py").write_text("import os, data\nfrom net import block\n")
    (tmp_path / "net/block.py").write_text("from . import parts\nfrom .. import nothing\n")
    return tmp_path


@pytest.mark.parametrize("words", [["python", "-c", "train.py"], ["ls", "-l"], ["python", "gone.py"], ["train.py"]])
def test_a_command_without_a_script_has_none(work: Path, words: list[str]) -> None:
    assert script.files(words) == []


@pytest.mark.parametrize(
    "words",
    [
        ["python", "-u", "train.py", "data.py"],
        ["python", "-m", "train"],
        ["torchrun", "--nproc-per-node", "2", "train.py"],
        ["python", "-m", "torch.distributed.run", "train.py"],
    ],
)
def test_the_script_comes_first_and_then_what_it_imports(work: Path, words: list[str]) -> None:
    found = [path.resolve().relative_to(work.resolve()).as_posix() for path in script.files(words)]
    assert found[0] == "train.py"
    assert sorted(found) == sorted(set(PLACES) - {"apart.py"})


def test_what_cannot_be_read_is_the_end_of_it(work: Path) -> None:
    (work / "train.py").write_bytes(b"# \xff\nimport data\n")
    assert len(script.files(["python", "train.py"])) == 1
