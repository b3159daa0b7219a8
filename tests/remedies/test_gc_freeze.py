from pathlib import Path

import pytest

from narrows.remedies import gc_freeze
from tests import fakes
from tests.fakes import boundaries, line, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import gc, torch
{first}
net = torch.nn.Linear(4, 1)
answers = [net(torch.ones(1, 4)).item() for _ in range(12)]
print(len(set(answers)), gc.get_freeze_count() > 1000, gc.get_threshold()[0], gc.isenabled())
"""


def test_it_is_not_tried_where_ops_take_the_time() -> None:
    large = op("mm", *[tensor(512, 512)] * 2, out=tensor(512, 512), ms=8.0)
    job = process(boundaries(forward=8.2), window("ops", ops=(large,)))
    assert gc_freeze.candidates(fakes.view(job)) == []


def test_it_is_tried_where_python_does() -> None:
    small = op("add", tensor(4), tensor(4), out=tensor(4), ms=1.0)
    job = process(
        boundaries(forward=6.0, tail=2.0), window("ops", ops=(small,)), window("lines", lines=(line(3, 2.0),))
    )
    (found,) = gc_freeze.candidates(fakes.view(job))
    assert 0 < found.seconds < 0.001


@pytest.mark.torch
def test_what_is_there_is_left_out_and_a_script_that_has_its_own_way_keeps_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT.replace("{first}", "")).output.split()
    frozen = run(tmp_path / "frozen", SCRIPT.replace("{first}", ""), ("gc-freeze", True))
    own = run(tmp_path / "own", SCRIPT.replace("{first}", "gc.disable()"), ("gc-freeze", True))
    assert plain[1] == "False"
    assert frozen.output.split() == ["1", "True", str(gc_freeze.THRESHOLD), "True"]
    assert frozen.applied[0]["frozen"] > 1000
    assert own.output.split()[1:] == ["False", plain[2], "False"]
    assert own.applied == ()
