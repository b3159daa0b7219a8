from pathlib import Path

import pytest

from narrows.remedies import tf_threads as remedy
from tests.remedies.harness import run
from tests.remedies.keras_job import script, view


def test_one_thread_is_tried_where_ops_are_small() -> None:
    assert [c.value for c in remedy.candidates(view())] == [1]
    assert remedy.candidates(view(tensorflow={"t": 0, "threads": 1}, cores=1)) == []


def test_the_number_is_set_before_the_runtime_starts(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    text = script("tf.config.threading.get_intra_op_parallelism_threads()")
    found = run(tmp_path / "job", text, ("tf-threads", 1))
    assert found.output.splitlines()[1] == "1"
