"""What is run with the job's interpreter: what it is given arrives, and it ends."""

import sys

from narrows.machine.child import run

LATE = "import sys, time; time.sleep(0.6); print(len(sys.stdin.read()))"


def test_a_long_input_arrives_whole_at_a_child_that_reads_late() -> None:
    done = run([sys.executable, "-c", LATE], "x" * 200_000, seconds=20)
    assert (done.text.strip(), done.status) == ("200000", 0), "longer than what a pipe holds"


def test_one_that_takes_too_long_is_ended() -> None:
    assert run([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.3).status is None


def test_one_that_cannot_be_started_is_no_error_of_ours() -> None:
    assert run(["/nowhere/at/all"], seconds=5).status is None
