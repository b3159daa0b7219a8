"""The end of a trial's process."""

import subprocess
import time
from pathlib import Path

import pytest

from narrows.job.command import resolve
from narrows.trials import child
from narrows.trials.arm import AS_IT_IS
from narrows.trials.child import Trial
from narrows.trials.setting import Setting
from narrows.trials.turns import Pace

PACE = Pace(warmup=0, turn=0.1, least=1, seconds=0.1, boundaries=1, longest=60.0)


@pytest.mark.parametrize(("most", "code"), [(1, 0), (2, -9)])
def test_one_that_counts_its_steps_itself_has_time_for_them(
    tmp_path: Path, most: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With slow steps it would be killed before it has written its losses."""
    monkeypatch.setattr(child, "GRACE", 0.1)
    how = Setting(command=resolve(["sleep", "2"]), folder=tmp_path, rank=0, pace=PACE, most=most)
    trial = Trial(how, AS_IT_IS, tmp_path / "trial")
    trial.spool.mkdir(parents=True)
    trial.process = subprocess.Popen(["sleep", "2"])
    trial.count(0.0, 60.0)
    trial.wait()
    assert trial.process.returncode == code


def test_what_the_job_has_left_behind_is_ended(tmp_path: Path) -> None:
    """A board, a server: it has no parent any more."""
    left = tmp_path / "left"
    command = resolve(["sh", "-c", f"sleep 60 & echo $! > {left}"])
    how = Setting(command=command, folder=tmp_path, rank=0, pace=PACE, most=1, shield=False)
    trial = Trial(how, AS_IT_IS, tmp_path / "trial")
    trial.start()
    assert trial.process is not None
    trial.process.wait()
    pid = int(left.read_text())
    assert Path(f"/proc/{pid}").exists()
    trial.wait()
    until = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text()
