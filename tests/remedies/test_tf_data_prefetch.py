from pathlib import Path

import pytest

from narrows.remedies import tf_data_prefetch as remedy
from tests.remedies.harness import run
from tests.remedies.keras_job import view

SCRIPT = """
import tensorflow as tf
print([int(x) for x in tf.data.Dataset.range(5)], [int(x) for x in tf.data.Dataset.range(3).prefetch(1)])
"""
WAITS = {"graph": 6.0, "next": 4.0}
PLAIN = {"stages": [["_BatchDataset", None]], "where": None}


def test_it_is_for_pipelines_that_nobody_prefetches() -> None:
    (found,) = remedy.candidates(view(states=WAITS, pipeline=PLAIN))
    assert found.seconds == pytest.approx(0.004)
    assert remedy.candidates(view(states=WAITS)) == []
    there = {"stages": [["_PrefetchDataset", None]], "where": None}
    assert remedy.candidates(view(states=WAITS, pipeline=there)) == []
    ran = {"boundaries": 2, "input_ns": 0, "stages": [["Iterator::Root::Prefetch", 1, 1, 1]]}
    assert remedy.candidates(view(states=WAITS, pipeline=PLAIN, graphs=ran)) == []


def test_the_elements_stay_and_a_prefetch_is_not_doubled(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    found = run(tmp_path / "job", SCRIPT, ("tf-data-prefetch", True))
    assert found.output == "[0, 1, 2, 3, 4] [0, 1, 2]\n"
    assert len(found.applied) == 1
