from pathlib import Path

import pytest

from narrows.remedies import keras_jit
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view


def test_it_is_not_tried_on_a_step_that_is_compiled_or_eager() -> None:
    assert keras_jit.candidates(view(trainer={"jit_compile": True})) == []
    assert keras_jit.candidates(view(trainer={"run_eagerly": True})) == []


def test_it_saves_a_part_of_what_getting_ops_to_run_costs() -> None:
    (found,) = keras_jit.candidates(view())
    assert 0.001 < found.seconds < 0.004


def test_the_step_is_compiled_and_the_losses_stay(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    plain, found = (
        run(tmp_path / "plain", script("model.jit_compile")),
        run(tmp_path / "job", script("model.jit_compile"), ("keras-jit", True)),
    )
    assert (plain.output.splitlines()[1], found.output.splitlines()[1]) == ("False", "True")
    assert plain.output.splitlines()[0] == found.output.splitlines()[0]
    assert found.applied[0]["model"] == "Sequential"


def test_what_the_script_says_itself_holds(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("model.jit_compile", compile=", jit_compile=False")
    found = run(tmp_path / "job", text, ("keras-jit", True))
    assert found.output.splitlines()[1] == "False"
    assert found.applied == ()
