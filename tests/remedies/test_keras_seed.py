from pathlib import Path

import pytest

from narrows.remedies import keras_seed as remedy
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view


def test_there_is_nothing_to_save() -> None:
    assert remedy.candidates(view()) == []


def test_each_run_gives_the_same_and_without_it_another(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("None", before="import random\nrandom.seed()\ntf.random.set_seed(42)")
    plain = {run(tmp_path / f"plain{i}", text).output for i in range(2)}
    found = [run(tmp_path / f"job{i}", text, ("keras-seed", True)) for i in range(2)]
    assert len(plain) == 2
    assert found[0].output == found[1].output
    assert found[0].applied[0]["seed"] == 42
