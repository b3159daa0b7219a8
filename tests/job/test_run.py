import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from narrows.job import tree
from narrows.job.command import Command
from narrows.job.failure import Failure
from narrows.job.folder import make
from narrows.job.run import run
from narrows.job.watch import read

pytestmark = pytest.mark.alone


def job(*words: str) -> Command:
    return Command(words=words, typed=words, python=sys.executable)


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_jobs(code: int) -> None:
    found = run(job("sh", "-c", f"exit {code}"), dict(os.environ))
    assert (found.exit_code, found.ended) == (code, "ok" if code == 0 else "error")


def test_a_signal_is_128_and_its_number() -> None:
    found = run(job("sh", "-c", "kill -KILL $$"), dict(os.environ))
    assert (found.exit_code, found.signal, found.ended) == (137, signal.SIGKILL, "signal")


def test_termination_is_passed_on() -> None:
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    found = run(job("sleep", "20"), dict(os.environ))
    assert found.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that run tests beside each other ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_of_narrows_alone_reaches_the_job_once(tmp_path: Path) -> None:
    out = tmp_path / "count"
    code = (
        "import signal, time\n"
        "got = []\n"
        "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "time.sleep(4)\n"
        f"open({str(out)!r}, 'w').write(str(len(got)))\n"
    )
    threading.Timer(2.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    run(job(sys.executable, "-c", code), dict(os.environ))
    assert out.read_text() == "1"


def test_a_job_that_is_stopped_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("narrows.job.run.GRACE", 0.2)
    pids: list[int] = []

    def tick(seconds: float) -> bool:
        pids[:] = tree.descendants(os.getpid())
        return seconds > 0.5

    found = run(job("sh", "-c", "setsid sleep 30 & sleep 30"), dict(os.environ), tick=tick)
    assert (found.exit_code, found.ended) == (0, "stopped")
    time.sleep(0.2)
    assert len(pids) >= 2
    assert not [pid for pid in tree.descendants(os.getpid()) if pid in pids]


def test_what_cannot_be_executed_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"\x00\x01")
    path.chmod(0o755)
    with pytest.raises(Failure) as caught:
        run(job(str(path)), dict(os.environ))
    assert caught.value.code == 126


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux's schedstat")
def test_the_job_is_watched_from_outside(tmp_path: Path) -> None:
    run(job("sh", "-c", "sleep 0.6"), dict(os.environ), watched=tmp_path / "watch.jsonl")
    assert len(read(tmp_path / "watch.jsonl")) >= 2


def test_a_folder_that_cannot_be_written_is_made_elsewhere() -> None:
    found = make(Path("/proc/nothing"))
    assert found.note is not None
    assert found.spool.is_dir()


def test_a_run_that_would_not_fit_is_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    original = os.posix_fallocate

    def full(descriptor: int, offset: int, length: int) -> None:
        if "elsewhere" not in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        original(descriptor, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", full)
    found = make(tmp_path / "out")
    assert found.path.is_relative_to(tmp_path / "elsewhere")
    assert found.note is not None
    assert "No space left on device" in found.note
    assert [p.name for p in found.path.iterdir()] == ["spool"]


def test_what_is_left_of_a_job_is_ended_and_nothing_of_others() -> None:
    ours, others = (
        subprocess.Popen(["sleep", "60"], env={**os.environ, "MARK": mark}) for mark in ("ours", "somebody else's")
    )
    try:
        tree.end([ours.pid, others.pid, 1], "MARK=ours", 0.1)
        assert ours.wait(timeout=10) == -signal.SIGKILL
        assert others.poll() is None
    finally:
        for each in (ours, others):
            each.kill()
            each.wait()
