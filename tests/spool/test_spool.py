"""What the probe writes is what the reader reads, also when the end is missing."""

from pathlib import Path

from narrows.probe import state
from narrows.probe.spool import HEADER, MOST_RECORDS, RECORD, Spool
from narrows.spool import read
from narrows.spool.record import GAPS, STATES, UPDATE


def write(folder: Path, records: int) -> Spool:
    spool = Spool(str(folder))
    spool.event("start", pid=7, parent=1, rank=None, ranks=None)
    for i in range(records):
        spool.boundary(1000 * (i + 1), UPDATE, 0, 2, 32, 1, 1, 1, [i] * state.STATES, 0.5, i)
    return spool


def test_the_probe_and_the_reader_agree_on_the_states_and_the_layout() -> None:
    assert len(STATES) == state.STATES
    assert {STATES[i] for i in state.GAPS} == set(GAPS)
    for name in ("NEXT", "FORWARD", "BACKWARD", "OPTIMIZER", "WAIT", "SAVE", "EVALUATE", "ITER"):
        assert STATES[getattr(state, name)] == name.lower()
    assert read.RECORD.format == RECORD.format
    assert read.HEADER.format == HEADER.format
    assert read.MOST_RECORDS == MOST_RECORDS


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write(tmp_path, 10_000)
    (found,) = read.read(tmp_path)
    assert found.pid == 7
    assert len(found.boundaries) == 10_000
    assert found.boundaries[3].ns == (3,) * len(STATES)
    assert found.boundaries[3].gradients
    assert not found.boundaries[3].disturbed
    assert not found.cut_off


def test_a_spool_cut_off_in_the_middle_gives_what_came_before(tmp_path: Path) -> None:
    spool = write(tmp_path, 100)
    with open(spool.events_path, "a") as file:
        file.write('{"k": "end", "err')
    with open(spool.steps_path, "r+b") as file:
        file.truncate(HEADER.size + 50 * RECORD.size + 7)
    (found,) = read.read(tmp_path)
    assert found.cut_off
    assert len(found.boundaries) == 50


def test_steps_that_a_full_disk_lost_are_counted(tmp_path: Path) -> None:
    spool = write(tmp_path, 10)
    spool.room = -1
    spool.boundary(99_000, UPDATE, 0, 2, 32, 1, 1, 1, [1] * state.STATES, 0.5, 10)
    spool.head(99_000, 0.5, 10)
    (found,) = read.read(tmp_path)
    assert (len(found.boundaries), found.lost) == (10, 1)


def test_a_process_that_was_spawned_says_its_rank_later(tmp_path: Path) -> None:
    write(tmp_path, 3).event("group", rank=1, ranks=2)
    (found,) = read.read(tmp_path)
    assert (found.rank, found.ranks) == (1, 2)


def test_garbage_is_no_spool(tmp_path: Path) -> None:
    (tmp_path / "1-a.jsonl").write_bytes(b"\x00\xff\n[]\n{}\n")
    (tmp_path / "1-a.steps").write_bytes(b"nothing")
    (found,) = read.read(tmp_path)
    assert found.boundaries == ()
    assert read.progress(tmp_path / "1-a.steps") is None


def test_a_folder_that_is_gone_never_raises_into_the_job(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "gone"))
    spool.event("start")
    spool.boundary(1, UPDATE, 0, 0, 0, 0, 0, 0, [0] * state.STATES, 0.0, 0)
    assert spool.broken


def test_of_a_light_step_only_its_length_is_known(tmp_path: Path) -> None:
    spool = write(tmp_path, 3)
    spool.light(3700, UPDATE, 0, 8)
    (found,) = read.read(tmp_path)
    last = found.boundaries[-1]
    assert (last.light, last.end_ns, last.duration_ns, last.kind) == (True, 3700, 700, UPDATE)
    assert not found.boundaries[-2].light
