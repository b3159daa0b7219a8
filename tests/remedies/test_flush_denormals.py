from pathlib import Path

import pytest

from narrows.remedies import flush_denormals
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SLOW = op("mm", *[tensor(256, 256)] * 2, out=tensor(256, 256), ms=8.0)
STEP = boundaries(forward=9.0)
SCRIPT = """
import threading, torch
seen = []
def look():
    small = torch.full((1 << 20,), 1e-39)
    seen.append((int((small * 1.0 != 0).sum()), float((small + 1.0).sum())))
look()
thread = threading.Thread(target=look)
thread.start(), thread.join()
x = torch.full((1 << 20,), 1e-20, requires_grad=True)
(x * 1e-19).sum().backward(torch.tensor(1e-20))
seen.append(int((x.grad != 0).sum()))
print(*seen)
"""


@pytest.mark.parametrize("values", [{"denormal": [0, 1000]}, {"denormal": [5, 1000]}, {}])
def test_it_is_not_tried_where_there_are_none(values: dict[str, object]) -> None:
    job = process(STEP, window("ops", ops=(SLOW,)), values=values)
    assert flush_denormals.candidates(fakes.view(job)) == []


def test_it_is_tried_where_products_have_them() -> None:
    job = process(STEP, window("ops", ops=(SLOW,)), values={"denormal": [500, 1000]})
    (found,) = flush_denormals.candidates(fakes.view(job))
    assert 0 < found.seconds < 0.008


@pytest.mark.torch
def test_they_count_as_zero_in_all_threads(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.set_flush_denormal(False):
        pytest.skip("this processor cannot")
    assert run(tmp_path / "plain", SCRIPT).output.count("1048576,") == 2
    flushed = run(tmp_path / "job", SCRIPT, ("flush-denormals", True))
    assert flushed.output == "(0, 1048576.0) (0, 1048576.0) 0\n"
    assert len(flushed.applied) == 1
