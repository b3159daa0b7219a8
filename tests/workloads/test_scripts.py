"""Each workload: its facts, a short training from raw data to a score, an answer, and bad input."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from narrows.gallery import catalogue
from narrows.gallery.play import score
from narrows.job.failure import Failure

pytestmark = pytest.mark.long

NAMES = catalogue.names()
SHORT = {"--epochs": "1", "--steps": "16"}


def run(name: str, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    try:
        script = catalogue.installed(name).script
    except Failure as why:
        pytest.skip(why.message)
    return subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False, cwd=home,
        env={**os.environ, "XDG_CACHE_HOME": str(home / "cache")},
    )  # fmt: skip


def own(errors: str) -> str:
    """What the script says, without how TensorFlow greets everybody."""
    greeting = ("WARNING: All log messages before absl", "I0000 ")
    return "".join(line for line in errors.splitlines(keepends=True) if not line.startswith(greeting))


def short(name: str) -> list[str]:
    source = catalogue.find(name).script.read_text()
    return next([option, value] for option, value in SHORT.items() if f'"{option}"' in source)


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


ANSWERS = {
    "fcnn": ("1 2 3 4 5 6 7 8 9 10", r"^[01]\.\d{3}: (yes|no)$"),
    "fcnn-keras": ("1 2 3 4 5 6 7 8 9 10", r"^[01]\.\d{3}: (yes|no)$"),
    "char-lm": ("The object", r"^The object"),
    "digits": ("\n".join(["0 0 5 13 9 1 0 0"] * 8), r"^\d  \(\d+\.\d% sure\)$"),
}
"""Of some: what is asked (of `digits`, the text of a file), and what the answer looks like."""


@pytest.mark.torch
@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_it_answers_and_trains_first_if_it_has_to(name: str, tmp_path: Path) -> None:
    asked, looks = ANSWERS[name]
    if name == "digits":
        (tmp_path / "image.txt").write_text(asked)
        asked = "image.txt"
    first = run(name, *short(name), "--infer", asked, home=tmp_path)
    assert "training one first" in first.stderr
    again = run(name, "--infer", asked, home=tmp_path)
    assert re.search(looks, again.stdout.splitlines()[-1])
    assert (own(again.stderr), len(again.stdout.splitlines())) == ("", 1)
    assert first.stdout.splitlines()[-1] == again.stdout.splitlines()[-1]
