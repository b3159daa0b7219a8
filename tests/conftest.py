"""For all tests: how long a property test takes is no property of the code, and who measures time is left alone.

With `pytest -n 2` most tests run beside each other. Modules marked `alone` take their turn by themselves, at the end; those
marked `long` come first, so that nobody waits for one of them there.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("narrows", deadline=None)
settings.load_profile("narrows")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (item.get_closest_marker("alone") is not None, item.get_closest_marker("long") is None))


@pytest.fixture(scope="module", autouse=True)
def _turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing runs beside a module that measures. No more than a system call where all run in one process."""
    parallel = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if parallel is None:
        yield
        return
    folder = Path(tempfile.gettempdir()) / f"narrows-tests-{parallel}"
    folder.mkdir(exist_ok=True)
    alone = request.node.get_closest_marker("alone") is not None
    # Who waits to be alone holds the gate, so that those who come after it wait behind it.
    with ExitStack() as held:
        with _locked(folder / "gate", fcntl.LOCK_EX):
            held.enter_context(_locked(folder / "machine", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
