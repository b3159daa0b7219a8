"""Files are written whole or not at all, and what cannot be written is said before anything runs."""

from pathlib import Path

import pytest

from narrows.job.failure import Failure
from narrows.report.model import decode
from narrows.report.write import check, put, show
from tests.report import sample


def test_all_faces(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    paths = {name: str(tmp_path / name) for name in ("json", "html", "markdown")}
    show(sample.training(), None, **paths, lang="en", quiet=False, colour=False)
    assert decode((tmp_path / "json").read_bytes()) == sample.training()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["html", "json", "markdown"]
    said = capfdbinary.readouterr()
    assert said.out == b""
    assert b"Ledger" in said.err


def test_json_on_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    show(sample.training(), None, json="-", html=None, markdown=None, lang="en", quiet=True, colour=False)
    said = capfdbinary.readouterr()
    assert decode(said.out) == sample.training()
    assert said.err == b""


def test_the_next_command_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    show(sample.training(), tmp_path, json=None, html=None, markdown=None, lang="en", quiet=False, colour=False)
    assert "Next: narrows report " in capfd.readouterr().err
    assert decode((tmp_path / "report.json").read_bytes()) == sample.training()


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_text("before")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Failure, match="cannot be written: No space left"):
        put(str(path), b"after")
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"json": "/nowhere/at/all.json"}, "folder does not exist"),
        ({"markdown": "/"}, "is a folder"),
        ({"recipe": Path("/nowhere/narrows.toml")}, "folder does not exist"),
        ({"html": "-"}, "needs a file"),
        ({"json": "-", "markdown": "-"}, "only one"),
        ({"lang": "tlh"}, "no report in 'tlh'"),
    ],
)
def test_what_cannot_be_written(asked: dict[str, object], why: str) -> None:
    with pytest.raises(Failure, match=why):
        check(**{"json": None, "html": None, "markdown": None, "lang": "en", **asked})  # type: ignore[arg-type]
