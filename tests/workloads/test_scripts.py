"""Each workload: its facts, a short training from raw data to a score, and bad input."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from narrows.gallery import catalogue
from narrows.gallery.play import score
from tests.workloads.scripts import own, run, short

pytestmark = pytest.mark.long

NAMES = catalogue.names()


@pytest.mark.parametrize("name", NAMES)
def test_its_facts_are_all_there(name: str) -> None:
    found = catalogue.find(name)
    for each in fields(found):
        assert getattr(found, each.name) or each.name == "needs", each.name
    assert found.better in ("higher", "lower")
    assert "narrows" not in re.sub(r'/ "narrows"', "", found.script.read_text())


@pytest.mark.torch
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_it_goes_from_raw_data_to_a_score_and_says_what_is_wrong_with_input(name: str, tmp_path: Path) -> None:
    trained = run(name, *short(name), home=tmp_path)
    assert trained.returncode == 0, trained.stderr[-2000:]
    assert own(trained.stderr) == ""
    found = score(trained.stdout.splitlines()[-1])
    assert found is not None, trained.stdout[-500:]
    assert found.name == catalogue.find(name).score
    assert list((tmp_path / "cache" / "narrows").iterdir()), "the trained model is kept"
    wrong = run(name, "--infer", "", home=tmp_path)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr
    assert "--infer" in wrong.stderr.splitlines()[-1] or "no " in wrong.stderr.splitlines()[-1]
