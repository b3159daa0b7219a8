"""Listing, one run and the table of all, over scripts that take no time."""

from pathlib import Path

import pytest

from narrows.gallery import catalogue, show
from narrows.job.failure import Failure

HEAD = """
WORKLOAD = {"field": "f", "model": "m", "data": "d|e", "size": "s", "licence": "l", "bottleneck": "b", "score": "accuracy",
            "better": "higher", "needs": NEEDS}
"""


def put(folder: Path, name: str, body: str, needs: str = "[]") -> None:
    (folder / f"{name}.py").write_text(HEAD.replace("NEEDS", needs) + body)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("torch")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    put(tmp_path, "good", "print('accuracy 0.9  (baseline 0.5: a coin)')")
    return tmp_path


def test_the_list_names_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show.listing(colour=False)
    out = capsys.readouterr().out
    assert "@good" in out
    assert "licence" in out


def test_one_run_says_whether_it_learned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show.one(catalogue.find("good"), (), quiet=False) == 0
    out = capsys.readouterr()
    assert out.out == "accuracy 0.9  (baseline 0.5: a coin)\n"
    assert "better than the baseline" in out.err


def test_all_of_them_and_one_that_learns_nothing_is_a_failure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show.train_all(None, quiet=True, colour=False) == 0
    put(folder, "bad", "print('accuracy 0.5  (baseline 0.5: a coin)')")
    put(folder, "broken", "print('oh'); raise SystemExit(7)")
    put(folder, "absent", "", needs="['no_such_module_of_anybody']")
    page = folder / "table.md"
    assert show.train_all(page, quiet=True, colour=False) == 1
    rows = {line.split(" | ")[0]: line for line in page.read_text().splitlines()}
    assert "better than the baseline" in rows["| @good"]
    assert "NOT better" in rows["| @bad"]
    assert "failed: oh" in rows["| @broken"]
    assert "no_such_module_of_anybody" in rows["| @absent"]


def test_a_page_that_cannot_be_written_is_one_sentence(folder: Path) -> None:
    with pytest.raises(Failure, match="cannot be written"):
        show.train_all(folder / "no" / "table.md", quiet=True, colour=False)
