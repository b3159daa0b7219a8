from pathlib import Path

import pytest

from narrows.remedies import compile_dynamic
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run
from tests.remedies.test_compile import SCRIPT, SMALL

OTHER = window("ops", ops=tuple(op("relu", tensor(9, 8 + i), out=tensor(9, 8 + i), ms=0.02) for i in range(50)))


def test_it_is_not_tried_where_shapes_stay() -> None:
    assert compile_dynamic.candidates(fakes.view(process(boundaries(forward=2.0), SMALL, SMALL))) == []


def test_it_is_tried_where_shapes_change() -> None:
    (found,) = compile_dynamic.candidates(fakes.view(process(boundaries(forward=2.0), SMALL, OTHER)))
    assert 0.0004 < found.seconds < 0.002


@pytest.mark.torch
def test_one_graph_is_made_for_all_lengths(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{sizes}", "3")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("compile-dynamic", True))
    assert found.output.split()[:2] == ["1", "0"]
    assert float(found.output.split()[6]) == pytest.approx(float(plain.output.split()[6]), abs=1e-4)
    assert found.applied[0]["model"] == "Sequential"
