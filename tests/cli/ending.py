"""narrows, told to end by a signal once it has come to a certain point."""

import subprocess
import sys
import time
from pathlib import Path


def told_to_end(folder: Path, *words: str, once: str, after: float = 0.0, times: int = 1) -> tuple[str, float]:
    """What it said, and the seconds that it took to end. `once`: a file is there, and so many seconds `after` that. That it
    was interrupted, and left no process, is seen to."""
    job = subprocess.Popen(
        [sys.executable, "-m", "narrows", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and not list(folder.glob(once)):
        time.sleep(0.05)
        assert job.poll() is None
    time.sleep(after)
    began = time.monotonic()
    for _ in range(times):
        job.terminate()
    _, said = job.communicate(timeout=60)
    took = time.monotonic() - began
    assert job.returncode == 130
    assert "src/narrows/" not in said
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in running
    return said, took
