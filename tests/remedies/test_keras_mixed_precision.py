from pathlib import Path

import pytest

from narrows.remedies import keras_mixed_precision as remedy
from tests.fakes import op, tensor, window
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view

A = tensor(1024, 1024)
PRODUCTS = window("ops", ops=(op("tf::MatMul", A, A, out=A, ms=6.0),))


def test_it_is_for_products_in_float32() -> None:
    assert remedy.candidates(view()) == []
    (found,) = remedy.candidates(view(PRODUCTS, states={"forward": 8.0}))
    assert found.seconds == pytest.approx(0.003, rel=0.1)
    other = {"t": 0, "backend": "tensorflow", "policy": "mixed_bfloat16"}
    assert remedy.candidates(view(PRODUCTS, states={"forward": 8.0}, keras=other)) == []


def test_layers_compute_in_bfloat16_and_keep_their_weights(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("model.layers[0].compute_dtype, model.layers[0].kernel.dtype")
    found = run(tmp_path / "job", text, ("keras-mixed-precision", "mixed_bfloat16"))
    assert found.output.splitlines()[1] == "bfloat16 float32"
