"""A sweep on a real Ray cluster, where Ray is installed: what a fake one does is in `test_sweep.py`."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from narrows.sweep.sweep import Wish, sweep
from narrows.sweep.variants import variants
from tests.trials.nodes import two_nodes  # noqa: F401

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def wish(tmp_path: Path, address: str, *, steps: int = 20, each_machine: bool = False) -> Wish:
    return Wish(
        words=(sys.executable, str(tmp_path / "train.py")), variants=variants(["THREADS=1,2"], []), steps=steps, seconds=0.0,
        out=tmp_path / "runs", quiet=True, lang="en", ray=address, each_machine=each_machine,
    )  # fmt: skip


def test_each_setting_runs_on_a_machine_and_its_report_is_here(tmp_path: Path, two_nodes: Any) -> None:  # noqa: F811
    two_nodes.add_node(num_cpus=1)
    made, code = sweep(wish(tmp_path, two_nodes.address))
    assert code == 0
    assert [entry.setting["THREADS"] for entry in made.entries] == ["1", "2"]
    for entry in made.entries:
        assert entry.error is None
        assert entry.step_seconds is not None
        assert 0.004 < entry.step_seconds < 0.5
        assert entry.run is not None
        assert (Path(entry.run) / "report.json").exists()


def test_a_machine_that_dies_costs_what_ran_on_it_and_no_more(tmp_path: Path, two_nodes: Any) -> None:  # noqa: F811
    second = two_nodes.add_node(num_cpus=1)
    runs, over = tmp_path / "runs", threading.Event()

    def die_when_both_run() -> None:
        while not over.wait(0.2):
            if len(list(runs.glob("*/spool"))) >= 2:
                two_nodes.remove_node(second, allow_graceful=False)
                return

    killer = threading.Thread(target=die_when_both_run)
    killer.start()
    try:
        made, code = sweep(wish(tmp_path, two_nodes.address, steps=600, each_machine=True))
    finally:
        over.set()
        killer.join()
    assert code != 0
    assert len(made.entries) == 4
    lost = [entry for entry in made.entries if entry.ended is None]
    assert len(lost) == 2, "what ran there, and what would have run there next"
    assert all(entry.error and "lost" in entry.error for entry in lost)
    assert all(entry.step_seconds is not None for entry in made.entries if entry not in lost)
