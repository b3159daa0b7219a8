import sys
from pathlib import Path

import pytest

from narrows.probe.start import _words


def test_the_way_to_a_file_may_be_written_in_any_manner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "train.py"
    script.write_text("")
    before = _words([sys.executable, "-u", "train.py", "--lr", "1e-3"])
    assert _words(["python", "-u", str(script), "--lr", "1e-3"]) == before
    assert [name for name, _ in before] == ["-u", "", "--lr", ""]


@pytest.mark.parametrize("other", [["train.py", "--lr", "1e-4"], ["train.py", "--lr"], ["else.py", "--lr", "1e-3"]])
def test_other_words_are_other_words(other: list[str]) -> None:
    assert _words(["python", *other]) != _words(["python", "train.py", "--lr", "1e-3"])


def test_what_the_job_spawns_has_no_words() -> None:
    assert _words(["python", "-c", "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5)"]) == []
