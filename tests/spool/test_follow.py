"""A spool that is followed while it is written."""

from pathlib import Path

from narrows.probe import state
from narrows.spool.follow import Follow
from tests.spool.test_spool import write


def test_boundaries_are_counted_as_they_come(tmp_path: Path) -> None:
    follow = Follow(tmp_path)
    assert follow.boundaries() == 0
    spool = write(tmp_path, 5)
    assert follow.boundaries() == 5
    for i in range(5, 40):
        spool.boundary(1000 * (i + 1), 0, 0, 2, 32, 1, 1, 1, [i] * state.STATES, 0.5, i)
    assert follow.boundaries() == 40
    assert follow.boundaries() == 40


def test_the_busiest_process_counts(tmp_path: Path) -> None:
    write(tmp_path, 3)
    write(tmp_path, 9)
    assert Follow(tmp_path).boundaries() == 9


def test_what_is_no_spool_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "1-a.steps").write_bytes(b"something else" * 40)
    (tmp_path / "2-b.steps").write_bytes(b"")
    assert Follow(tmp_path).boundaries() == 0
    assert Follow(tmp_path / "gone").boundaries() == 0
