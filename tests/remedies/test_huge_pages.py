from pathlib import Path

import pytest

from narrows.remedies import huge_pages
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LARGE = op("add", *[tensor(4096, 1024)] * 2, out=tensor(4096, 1024), ms=8.0)
SMALL = op("add", *[tensor(64, 64)] * 2, out=tensor(64, 64), ms=8.0)
STEP = boundaries(forward=8.2)
SCRIPT = """
import torch
x = torch.ones(16 << 20)
print(x.sum().item())
with open("/proc/self/smaps") as lines:
    print(sum(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages")))
"""


def test_it_is_not_tried_where_the_kernel_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = process(STEP, window("ops", ops=(LARGE,)))
    monkeypatch.setattr(huge_pages, "SETTING", tmp_path / "enabled")
    assert huge_pages.candidates(fakes.view(job)) == []
    (tmp_path / "enabled").write_text("always madvise [never]\n")
    assert huge_pages.candidates(fakes.view(job)) == []


def test_it_is_tried_where_large_tensors_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huge_pages, "SETTING", tmp_path / "enabled")
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    assert huge_pages.candidates(fakes.view(process(STEP, window("ops", ops=(SMALL,))))) == []
    (found,) = huge_pages.candidates(fakes.view(process(STEP, window("ops", ops=(LARGE,)))))
    assert 0 < found.seconds < 0.004


@pytest.mark.torch
def test_large_tensors_lie_in_huge_pages(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    if not huge_pages.SETTING.exists() or "[madvise]" not in huge_pages.SETTING.read_text():
        pytest.skip("the kernel has no huge pages on demand")
    plain = run(tmp_path / "plain", SCRIPT, **dict.fromkeys(huge_pages.environment(True), "0")).output.split()
    huge = run(tmp_path / "huge", SCRIPT, ("huge-pages", True), **huge_pages.environment(True)).output.split()
    assert huge[0] == plain[0]
    assert int(huge[1]) > int(plain[1])
