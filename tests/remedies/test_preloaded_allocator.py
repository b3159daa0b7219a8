import sys
from pathlib import Path

import pytest

from narrows.remedies import preloaded_allocator
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LARGE = op("add", *[tensor(4096, 1024)] * 2, out=tensor(4096, 1024), ms=8.0)
JOB = process(boundaries(forward=8.2), window("ops", ops=(LARGE,)))
SCRIPT = "print('libthread_db' in open('/proc/self/maps').read())\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="the linker of Linux")


@linux
def test_it_is_not_tried_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preloaded_allocator, "FOLDERS", (tmp_path,))
    assert preloaded_allocator.candidates(fakes.view(JOB)) == []


@linux
def test_it_is_not_tried_where_no_large_tensor_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libjemalloc.so.2").touch()
    monkeypatch.setattr(preloaded_allocator, "FOLDERS", (tmp_path,))
    assert preloaded_allocator.candidates(fakes.view(process(boundaries(forward=8.0)))) == []


@linux
def test_each_that_is_there_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libjemalloc.so", "libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libm.so.6"):
        (tmp_path / name).touch()
    monkeypatch.setattr(preloaded_allocator, "FOLDERS", (tmp_path / "none", tmp_path))
    found = preloaded_allocator.candidates(fakes.view(JOB))
    assert [Path(str(c.value)).name for c in found] == ["libjemalloc.so", "libtcmalloc_minimal.so.4"]
    assert all(0 < c.seconds < 0.004 for c in found)


@linux
def test_what_the_user_preloads_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/lib/mine.so")
    assert preloaded_allocator.environment("/lib/libjemalloc.so") == {
        "LD_PRELOAD": "/lib/libjemalloc.so:/lib/mine.so",
        "MALLOC_CONF": preloaded_allocator.KEEP,
    }


@linux
def test_the_library_is_in_the_job(tmp_path: Path) -> None:
    # Any library will do to see that it is loaded; this machine may have no other allocator.
    libraries = sorted(Path("/lib/x86_64-linux-gnu").glob("libthread_db.so*"))
    if not libraries:
        pytest.skip("no library to load")
    environment = preloaded_allocator.environment(str(libraries[0]))
    assert run(tmp_path / "plain", SCRIPT).output == "False\n"
    assert run(tmp_path / "job", SCRIPT, ("preloaded-allocator", str(libraries[0])), **environment).output == "True\n"
