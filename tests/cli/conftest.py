"""The small job that most tests of `narrows diagnose` start from."""

from pathlib import Path

import pytest

from tests.cli.diagnosing import write


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return write(tmp_path)
