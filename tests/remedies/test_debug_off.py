from pathlib import Path

import pytest

from narrows.remedies import debug_off
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

STEP = boundaries(forward=4.0, backward=4.0)
FAST = window("ops", ops=(op("mm", *[tensor(64, 64)] * 2, out=tensor(64, 64), ms=1.0),))
SCRIPT = """
import warnings, torch
warnings.simplefilter("ignore")
x = torch.ones(3, requires_grad=True)
with torch.autograd.detect_anomaly():
    print("anomaly", torch.is_anomaly_enabled())
    (x * 2).sum().backward()
with torch.autograd.set_detect_anomaly(False):
    pass
torch.autograd.set_detect_anomaly(True)
print("anomaly", torch.is_anomaly_enabled())
(x * 2).sum().backward()
print(x.grad.tolist())
"""


@pytest.mark.parametrize("mode", [{"anomaly": False}, []])
def test_it_is_not_tried_where_it_is_off(mode: object) -> None:
    assert debug_off.candidates(fakes.view(process(STEP, FAST, mode=mode))) == []


def test_it_is_tried_where_it_is_on() -> None:
    (found,) = debug_off.candidates(fakes.view(process(STEP, FAST, mode={"anomaly": True})))
    assert 0 < found.seconds < 0.008


@pytest.mark.torch
def test_it_stays_off_and_gradients_are_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    off = run(tmp_path / "off", SCRIPT, ("debug-off", True))
    assert plain.output.count("anomaly True") == 2
    assert off.output == plain.output.replace("True", "False")
    assert len(off.applied) == 1
