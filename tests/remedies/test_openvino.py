import importlib.util
from pathlib import Path

import pytest

from narrows.remedies import openvino
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.answering import answering
from tests.remedies.harness import run
from tests.remedies.test_frozen import SMALL, script


def test_it_is_not_tried_on_a_job_that_trains() -> None:
    assert openvino.candidates(fakes.view(process(boundaries(forward=2.0), SMALL))) == []


def test_it_is_tried_only_where_it_is_installed() -> None:
    there = all(importlib.util.find_spec(name) for name in ("openvino",))
    assert bool(openvino.candidates(answering(SMALL, forward=2.0))) == there


def test_the_jobs_interpreter_is_asked(tmp_path: Path) -> None:
    start = {"executable": str(tmp_path / "bin" / "python")}
    assert openvino.candidates(answering(SMALL, forward=2.0, start=start)) == []
    for name in ("openvino",):
        (tmp_path / "lib" / "python3.12" / "site-packages" / name).mkdir(parents=True)
    assert openvino.candidates(answering(SMALL, forward=2.0, start=start))


@pytest.mark.torch
def test_without_it_the_job_runs_as_it_would_have(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    if importlib.util.find_spec("openvino"):
        pytest.skip("it is installed")
    found = run(tmp_path / "job", script(), ("openvino", True))
    assert found.output.split()[0] == "1"
    assert found.applied == ()
    assert found.not_applied


@pytest.mark.torch
def test_the_runtime_answers_instead_of_the_forward(tmp_path: Path) -> None:
    for name in ("torch", "openvino"):
        pytest.importorskip(name)
    changes = {"sizes": [2, 3, 3, 2]}
    plain = run(tmp_path / "plain", script(**changes))
    found = run(tmp_path / "job", script(**changes), ("openvino", True))
    before, after = plain.output.split(), found.output.split()
    assert (before[0], after[0]) == ("1", "0")
    assert [float(x) for x in after[1:]] == pytest.approx([float(x) for x in before[1:]], abs=1e-3)
    assert found.applied[0]["model"] == "Net"
