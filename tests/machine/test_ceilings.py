from collections.abc import Callable
from pathlib import Path

import pytest

from narrows.machine import ceilings as module
from narrows.machine.ceilings import best, ceilings, measure, measured, torch_version
from tests.machine.conftest import Interpreter

Make = Callable[..., Interpreter]


def test_what_the_child_says_is_what_was_measured(measuring: Make, tmp_path: Path) -> None:
    found = ceilings(measuring().path, 2, cache=tmp_path / "cache")
    assert found is not None
    assert found.flops["bfloat16"] == 4e11
    assert found.bandwidth_by_size[1] == (1 << 29, 3.5e10)


def test_the_number_of_threads_reaches_the_child(measuring: Make, tmp_path: Path) -> None:
    fake = measuring()
    ceilings(fake.path, 3, cache=tmp_path / "cache")
    words = fake.asked()[0]
    assert words[words.index("--threads") + 1] == "3"


def test_a_second_time_it_comes_from_the_cache(measuring: Make, tmp_path: Path) -> None:
    fake = measuring()
    first = ceilings(fake.path, 2, "9.9", cache=tmp_path / "cache")
    assert ceilings(fake.path, 2, "9.9", cache=tmp_path / "cache") == first
    assert len(fake.asked()) == 1


def test_other_threads_other_torch_and_other_cores_are_measured_again(
    measuring: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, cache = measuring(), tmp_path / "cache"
    ceilings(fake.path, 2, "9.9", cache=cache)
    ceilings(fake.path, 1, "9.9", cache=cache)
    ceilings(fake.path, 2, "9.8", cache=cache)
    monkeypatch.setattr("narrows.machine.hardware.cores", lambda root=None: 77)
    ceilings(fake.path, 2, "9.9", cache=cache)
    assert len(fake.asked()) == 4


def test_a_refresh_measures_again(measuring: Make, tmp_path: Path) -> None:
    ceilings(measuring().path, 2, cache=tmp_path / "cache")
    lower = measuring(bandwidth=1e10)
    found = ceilings(lower.path, 2, cache=tmp_path / "cache", refresh=True)
    assert found is not None
    assert found.bandwidth == 1e10


def test_a_refresh_on_a_busy_machine_never_lowers_what_was_reached_before(measuring: Make, tmp_path: Path) -> None:
    ceilings(measuring().path, 2, cache=tmp_path / "cache")
    lower = measuring(bandwidth=1e10, busy=0.5)
    found = measured(lower.path, 2, cache=tmp_path / "cache", refresh=True)
    assert found is not None
    assert found.ceilings.bandwidth == 3e10
    assert found.doubtful


def test_what_a_busy_machine_did_is_used_for_a_while_and_then_measured_again(
    measuring: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = measuring(busy=0.5)
    for _ in range(2):
        ceilings(fake.path, 2, cache=tmp_path / "cache")
    assert len(fake.asked()) == 1
    monkeypatch.setattr(module, "RECENT", 0.0)
    ceilings(fake.path, 2, cache=tmp_path / "cache")
    assert len(fake.asked()) == 2


def test_the_default_cache_is_where_the_user_keeps_caches(
    measuring: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    ceilings(measuring().path, 2)
    assert list((tmp_path / "here" / "narrows").glob("ceilings-*.json"))


def test_a_cache_that_cannot_be_written_or_read_is_no_error(measuring: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert ceilings(measuring().path, 2, cache=tmp_path / "file" / "cache") is not None


def test_a_spoilt_cache_is_measured_again(measuring: Make, tmp_path: Path) -> None:
    fake = measuring()
    ceilings(fake.path, 2, cache=tmp_path / "cache")
    for path in (tmp_path / "cache").iterdir():
        path.write_text('{"ceilings"')
    assert ceilings(fake.path, 2, cache=tmp_path / "cache") is not None
    assert len(fake.asked()) == 2


@pytest.mark.parametrize(
    "body", ["sys.exit(3)", "print('no JSON')", "print('[]')", "print('{}')", "pass", "import os; os.abort()"]
)
def test_an_interpreter_that_cannot_measure_gives_none(
    interpreter: Callable[[str], Interpreter], tmp_path: Path, body: str
) -> None:
    assert ceilings(interpreter(body).path, 2, cache=tmp_path / "cache") is None
    assert not (tmp_path / "cache").exists()


def test_what_is_no_interpreter_gives_none(tmp_path: Path) -> None:
    assert torch_version(str(tmp_path / "nothing")) is None
    assert ceilings(str(tmp_path / "nothing"), 2, cache=tmp_path) is None


def test_progress_is_told_the_seconds(interpreter: Callable[[str], Interpreter]) -> None:
    seen: list[float] = []
    measure(interpreter("import time; time.sleep(0.6)").path, 1, progress=seen.append)
    assert seen
    assert seen == sorted(seen)


def test_a_child_that_hangs_is_given_up(
    interpreter: Callable[[str], Interpreter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    assert measure(interpreter("import time; time.sleep(60)").path, 1) is None


def test_the_better_of_two_is_taken_figure_by_figure(measuring: Make, tmp_path: Path) -> None:
    one = measure(measuring(flops={"float32": 5.0, "int8": 1.0}, disk_read=None).path, 1)
    other = measure(measuring(bandwidth=1.0, dispatch_seconds=1e-9).path, 1)
    assert one is not None
    assert other is not None
    both = best(one.ceilings, other.ceilings)
    assert both.flops == {"float32": 2e11, "int8": 1.0}
    assert (both.bandwidth, both.dispatch_seconds, both.disk_read) == (3e10, 1e-9, 1e9)
