"""Keras jobs whose times are looked at."""

from pathlib import Path

import pytest

from tests.cli.diagnosing import check_ledger, narrows
from tests.cli.keras_jobs import ids, job

pytest.importorskip("tensorflow")
pytest.importorskip("keras")
pytestmark = pytest.mark.alone


def test_a_callback_is_host_by_as_much_as_it_takes(tmp_path: Path) -> None:
    _, plain = narrows(tmp_path, job(tmp_path))
    check_ledger(plain)
    done, report = narrows(tmp_path, job(tmp_path, callback="time.sleep(0.02)"))
    assert done.stdout.startswith("[")
    check_ledger(report)
    (host,) = (row["seconds"] for row in report["ledger"] if row["cause"] == "host")
    assert host == pytest.approx(0.02, rel=0.3)
    found = next(f for f in report["findings"] if f["id"] == "blocking-callback")
    assert found["where"].startswith("train.py:")
    assert report["verdict"]["cause"] == "host"


def test_waiting_for_a_generator_inside_of_the_graph_is_input(tmp_path: Path) -> None:
    script = job(tmp_path, data="batches(), steps_per_epoch=30", sleep="time.sleep(0.03)")
    _, report = narrows(tmp_path, script)
    assert check_ledger(report)["input"] > 0.4
    assert report["verdict"]["cause"] == "input"
    assert "generator-input" in ids(report)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends_have_their_steps_and_their_ledger(tmp_path: Path, backend: str) -> None:
    pytest.importorskip(backend)
    script = job(tmp_path, callback="time.sleep(0.02)")
    done, report = narrows(tmp_path, script, KERAS_BACKEND=backend)
    assert done.returncode == 0
    assert done.stdout.startswith("[")
    check_ledger(report)
    assert report["step"]["count"] == 200
    assert report["job"]["framework"]["version"].endswith(f"({backend})")
    (host,) = (row["seconds"] for row in report["ledger"] if row["cause"] == "host")
    assert host == pytest.approx(0.02, rel=0.3)
    assert report["verdict"]["cause"] == "host" or backend == "torch"
