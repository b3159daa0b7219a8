"""What is measured in this process leaves it as it was: denormals are flushed while ceilings are measured."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def denormals() -> Iterator[None]:
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
