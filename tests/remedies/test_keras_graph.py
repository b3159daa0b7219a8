from pathlib import Path

import pytest

from narrows.remedies import keras_graph
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view

EAGER = {"run_eagerly": True, "where": None}


def test_it_is_for_eager_steps_alone() -> None:
    assert keras_graph.candidates(view()) == []
    (found,) = keras_graph.candidates(view(trainer=EAGER, states={"forward": 5.0}))
    assert found.seconds > 0.003


def test_the_step_becomes_a_graph_and_the_losses_stay(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("model.run_eagerly", compile=", run_eagerly=True")
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("keras-graph", True))
    assert (plain.output.splitlines()[1], found.output.splitlines()[1]) == ("True", "False")
    assert plain.output.splitlines()[0] == found.output.splitlines()[0]
