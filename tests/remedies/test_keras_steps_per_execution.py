from pathlib import Path

import pytest

from narrows.remedies import keras_steps_per_execution as remedy
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view


def test_only_numbers_that_divide_an_epoch_are_tried() -> None:
    assert [c.value for c in remedy.candidates(view())] == [4]
    assert remedy.candidates(view(data={"batches": 7})) == []
    assert remedy.candidates(view(data={"batches": None})) == []


def test_it_is_not_tried_where_a_call_makes_several_or_none_is_a_graph() -> None:
    assert remedy.candidates(view(trainer={"steps_per_execution": 2})) == []
    assert remedy.candidates(view(trainer={"steps_per_execution": 1, "run_eagerly": True})) == []


def test_a_call_makes_several_steps_with_the_same_losses(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("model.steps_per_execution")
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("keras-steps-per-execution", 4))
    assert (plain.output.splitlines()[1], found.output.splitlines()[1]) == ("1", "4")
    assert plain.output.splitlines()[0] == found.output.splitlines()[0]
