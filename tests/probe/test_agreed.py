from pathlib import Path

import pytest

from narrows.probe import agreed, job


@pytest.fixture
def ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(job, "folder", str(tmp_path))
    monkeypatch.setattr(agreed, "path", "")
    monkeypatch.setattr(agreed, "_stop_at", 0)
    return monkeypatch


def at(ranks: pytest.MonkeyPatch, update: int, *, enough: bool) -> bool:
    """A rank of its own at that update: it has not looked before."""
    ranks.setattr(job, "updates", update)
    ranks.setattr(agreed, "_stop_at", 0)
    return agreed.over(enough, 2)


def test_one_process_stops_when_it_has_seen_enough(ranks: pytest.MonkeyPatch) -> None:
    assert at(ranks, 30, enough=True)
    assert not at(ranks, 30, enough=False)


def test_all_ranks_stop_where_the_first_said(ranks: pytest.MonkeyPatch, tmp_path: Path) -> None:
    agreed.begin()
    assert not at(ranks, 30, enough=True)
    assert [at(ranks, update, enough=False) for update in (30, 31, 32)] == [False, False, True]
    assert not at(ranks, 31, enough=True), "a second one does not put it off"
    assert at(ranks, 32, enough=True)
    assert [path.name for path in tmp_path.iterdir()] == ["stop"]


def test_ranks_that_do_not_train_stop_each_for_itself(ranks: pytest.MonkeyPatch) -> None:
    agreed.begin()
    assert at(ranks, 0, enough=True)
    assert not at(ranks, 0, enough=False)


def test_a_folder_that_cannot_be_written_stops_nobody_wrongly(ranks: pytest.MonkeyPatch) -> None:
    ranks.setattr(job, "folder", "/proc/nothing")
    agreed.begin()
    assert not at(ranks, 30, enough=False)
    assert at(ranks, 30, enough=True), "alone, but it was asked to"
