from pathlib import Path

import pytest

from narrows.remedies import tf_data_parallel_map as remedy
from tests.remedies.harness import run
from tests.remedies.keras_job import view

SCRIPT = """
import tensorflow as tf
data = tf.data.Dataset.range(100).map(lambda i: i * i){more}
print([int(x) for x in data] == [i * i for i in range(100)], type(data).__name__)
"""


def stages(*names: str) -> dict[str, object]:
    return {"stages": [[name, None] for name in names], "where": None}


def test_it_is_for_maps_that_the_step_waits_for() -> None:
    waits = {"graph": 4.0, "next": 4.0}
    (found,) = remedy.candidates(view(states=waits, pipeline=stages("_MapDataset")))
    assert found.seconds == pytest.approx(0.002)
    assert remedy.candidates(view(states=waits, pipeline=stages("_ParallelMapDataset"))) == []
    assert remedy.candidates(view(states=waits, pipeline=stages("_FlatMapDataset"))) == []
    assert remedy.candidates(view(states={"graph": 4.0}, pipeline=stages("_MapDataset"))) == []


def test_elements_come_in_the_same_order(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    found = run(tmp_path / "job", SCRIPT.replace("{more}", ""), ("tf-data-parallel-map", True))
    assert found.output == "True _ParallelMapDataset\n"
    assert found.applied
