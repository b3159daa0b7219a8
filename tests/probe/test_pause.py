"""The workers' pause: they wait until a time, and say when they are at work."""

import os
from pathlib import Path

import pytest

from narrows.probe import job, pause


@pytest.fixture(autouse=True)
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "folder", str(tmp_path))
    monkeypatch.setattr(pause, "board", None)


def with_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that moves by what is slept; the sleeps."""
    slept: list[float] = []
    monkeypatch.setattr(pause, "clock", lambda: 1_000 + int(sum(slept) * 1e9))
    monkeypatch.setattr(pause, "sleep", slept.append)
    return slept


def test_a_worker_is_idle_until_it_makes_a_batch_and_after_it() -> None:
    pause.make()
    assert not pause.all_idle([os.getpid()])  # it has not said anything yet
    pause.join()
    assert pause.all_idle([os.getpid()])
    pause.begin()
    assert not pause.all_idle([os.getpid()])
    pause.end()
    assert pause.all_idle([os.getpid()])


def test_no_batch_is_begun_before_the_pause_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = with_clock(monkeypatch)
    pause.make()
    pause.until(1_000 + 3_000_000)
    pause.begin()
    assert sum(slept) == pytest.approx(0.003)
    pause.until(0)
    pause.begin()
    assert len(slept) == 3


def test_without_a_board_nobody_waits_and_nobody_is_said_to_be_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = with_clock(monkeypatch)
    pause.join()  # of a parent that has none
    pause.until(1 << 60)
    pause.begin()
    pause.end()
    assert not slept
    assert not pause.all_idle([os.getpid()])


def test_a_spawned_worker_finds_its_parents_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 77)
    pause.make()
    parents = pause.board
    monkeypatch.setattr(pause, "board", None)
    monkeypatch.setattr(os, "getpid", lambda: 78)
    monkeypatch.setattr(os, "getppid", lambda: 77)
    pause.join()
    assert pause.board is not parents
    monkeypatch.setattr(pause, "board", parents)
    assert pause.all_idle([78])
