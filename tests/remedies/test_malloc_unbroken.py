import platform
from pathlib import Path

import pytest

from narrows.remedies import malloc_unbroken
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

STEP = boundaries(forward=8.2)
SCRIPT = """
import torch
for turn in range(6):
    blocks = [torch.ones(size << 18) for size in range(1, 24)]
    small = [torch.ones(1000) for _ in range(100)]
    kept = blocks[::4] + small
    del blocks
print(sum(float(each.sum()) for each in kept), [l for l in open("/proc/self/status") if "VmHWM" in l][0].split()[1])
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc")


def test_it_is_not_tried_where_memory_is_a_devices_or_not_known() -> None:
    for memory in ({}, {"rss_peak": 1 << 30, "device_peak": 1 << 30}):
        assert malloc_unbroken.candidates(fakes.view(process(STEP, memory=memory))) == []


@glibc
def test_it_is_tried_in_a_process_on_the_cpu() -> None:
    job = process(STEP, memory={"rss_peak": 1 << 30, "device_peak": None})
    (found,) = malloc_unbroken.candidates(fakes.view(job))
    assert found.seconds == 0.0


@glibc
@pytest.mark.torch
def test_a_heap_in_pieces_takes_less(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain, peak = run(tmp_path / "plain", SCRIPT).output.split()
    same, less = run(
        tmp_path / "unbroken", SCRIPT, ("malloc-unbroken", True), **malloc_unbroken.environment(True)
    ).output.split()
    assert same == plain
    assert int(less) <= int(peak)
