from pathlib import Path

import pytest

from narrows.remedies import keras_one_iterator as remedy
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view


def test_it_is_for_arrays_on_tensorflow() -> None:
    (found,) = remedy.candidates(view())
    assert found.seconds == pytest.approx(0.002)
    assert remedy.candidates(view(data={"adapter": "TFDatasetAdapter"})) == []
    assert remedy.candidates(view(keras={"t": 0, "backend": "jax"})) == []
    assert remedy.candidates(view(states={"graph": 4.0})) == []


def test_one_iterator_serves_all_epochs_with_the_same_batches(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("made", before="made = []\nwas = tf.data.Dataset.__iter__\n"
                  "tf.data.Dataset.__iter__ = lambda self: (made.append(1), was(self))[1]")  # fmt: skip
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("keras-one-iterator", True))
    assert plain.output.splitlines()[0] == found.output.splitlines()[0]
    assert len(plain.output.splitlines()[1]) > len(found.output.splitlines()[1]) == len("[1]")


def test_an_epoch_that_does_not_come_out_even_is_left_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("None", compile=", steps_per_execution=3")
    assert run(tmp_path / "job", text, ("keras-one-iterator", True)).applied == ()
