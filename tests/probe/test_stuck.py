import json
import time
from pathlib import Path

import pytest

from narrows.probe import job, state, stuck
from narrows.probe.spool import Spool


def test_where_the_main_thread_stands_is_noted_and_a_little_later_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "spool", Spool(str(tmp_path)))
    monkeypatch.setattr(stuck, "LOOK", 0.01)
    monkeypatch.setattr(stuck, "PATIENCE", 0.05)
    monkeypatch.setattr(stuck, "_begun", False)
    state.touch()
    stuck.begin()
    stuck.begin()
    until = time.monotonic() + 20
    path = Path(job.spool.events_path)
    while (not path.exists() or len(path.read_text().splitlines()) < 2) and time.monotonic() < until:
        time.sleep(0.01)
    monkeypatch.setattr(time, "sleep", stop)
    first, second = [json.loads(line) for line in path.read_text().splitlines()[:2]]
    assert first["k"] == "stuck"
    assert first["where"][0] == __file__
    assert second["seconds"] >= first["seconds"]


def stop(seconds: float) -> None:
    raise RuntimeError


def test_what_moves_is_not_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "spool", Spool(str(tmp_path)))
    before = stuck._moved()
    state.touch()
    assert stuck._moved() != before
