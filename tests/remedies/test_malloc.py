import platform
from pathlib import Path

import pytest

from narrows.remedies import huge_pages, malloc
from narrows.remedies.inside import fresh
from narrows.spool.record import Op
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LARGE = op("add", *[tensor(4096, 1024)] * 2, out=tensor(4096, 1024), ms=8.0)
IN_PLACE = op("add_", *[tensor(4096, 1024)] * 2, out=tensor(4096, 1024), ms=8.0)
SMALL = op("add", *[tensor(64, 64)] * 2, out=tensor(64, 64), ms=8.0)
STEP = boundaries(forward=8.2)
SCRIPT = """
import resource, torch
x = torch.ones(16 << 20)
def step():
    return (x + 1).sum().item()
for _ in range(20):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(sum(step() for _ in range(20)), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc")


@pytest.mark.parametrize("found", [SMALL, IN_PLACE])
def test_it_is_not_tried_where_no_large_tensor_is_made(found: Op) -> None:
    assert malloc.candidates(fakes.view(process(STEP, window("ops", ops=(found,))))) == []


def test_it_is_not_tried_where_tensors_are_on_a_device() -> None:
    job = process(STEP, window("ops", ops=(LARGE,)), torch={"threads": 2, "cuda": True})
    assert fresh.seconds(fakes.view(job), 1) == 0.0


@glibc
def test_it_is_tried_where_large_tensors_are_made() -> None:
    (found,) = malloc.candidates(fakes.view(process(STEP, window("ops", ops=(LARGE,)))))
    assert 0 < found.seconds < 0.004


@glibc
@pytest.mark.torch
def test_a_step_finds_the_memory_of_the_step_before(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain, plain_faults = run(tmp_path / "plain", SCRIPT, **huge_pages_off()).output.split()
    kept, kept_faults = run(
        tmp_path / "kept", SCRIPT, ("malloc", True), **malloc.environment(True), **huge_pages_off()
    ).output.split()
    assert kept == plain
    # Not none: small pieces in between make the heap grow a few more times.
    assert int(kept_faults) * 2 < int(plain_faults)


def huge_pages_off() -> dict[str, str]:
    return dict.fromkeys(huge_pages.environment(True), "0")
