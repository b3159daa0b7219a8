from pathlib import Path

import pytest

from narrows.remedies import matmul_precision
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

A = tensor(1024, 1024)
WORK = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))


def told(**more: object) -> dict[str, object]:
    return {"t": 0, "version": "2.13.0", "threads": 2, "cuda": False, "matmul_precision": "highest", **more}


def test_it_is_not_tried_where_the_job_chose_a_precision() -> None:
    job = process(boundaries(forward=12.0, backward=2.0), WORK, torch=told(matmul_precision="high"))
    assert matmul_precision.candidates(fakes.view(job)) == []


def test_it_is_not_tried_on_a_device_that_has_no_tf32() -> None:
    job = process(boundaries(forward=12.0, backward=2.0), WORK, torch=told(cuda=True))
    assert matmul_precision.candidates(fakes.view(job)) == []


def test_a_cpu_is_offered_bfloat16() -> None:
    job = process(boundaries(forward=12.0, backward=2.0), WORK, torch=told())
    (found,) = matmul_precision.candidates(fakes.view(job))
    assert found.value == "medium"
    assert 0.005 < found.seconds < 0.007


@pytest.mark.torch
@pytest.mark.parametrize("value", ["medium", "high"])
def test_the_precision_is_set(tmp_path: Path, value: str) -> None:
    pytest.importorskip("torch")
    script = "import torch\nprint(torch.get_float32_matmul_precision())"
    found = run(tmp_path / "job", script, ("matmul-precision", value))
    assert found.output.split() == [value]
    assert found.applied[0]["precision"] == value
