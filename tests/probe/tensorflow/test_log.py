"""What goes to standard error while it is turned aside."""

import os

import pytest

from narrows.probe.tensorflow import log


def test_all_comes_through_but_what_the_profiler_says_of_itself(capfd: pytest.CaptureFixture[str]) -> None:
    with log.aside():
        os.write(2, b"I0000 profiler_session.cc:132] Profiler session started.\n")
        os.write(2, b"the job's own\nno end of line")
    assert capfd.readouterr().err == "the job's own\nno end of line"


def test_it_is_as_it_was_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="job"), log.aside():
        raise ValueError("job")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
