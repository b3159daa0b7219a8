"""An answer of a workload, which is trained first if it has to be."""

import re
from pathlib import Path

import pytest

from tests.workloads.scripts import own, run, short

pytestmark = [pytest.mark.torch, pytest.mark.long]

ANSWERS = {
    "fcnn": ("1 2 3 4 5 6 7 8 9 10", r"^[01]\.\d{3}: (yes|no)$"),
    "fcnn-keras": ("1 2 3 4 5 6 7 8 9 10", r"^[01]\.\d{3}: (yes|no)$"),
    "char-lm": ("The object", r"^The object"),
    "digits": ("\n".join(["0 0 5 13 9 1 0 0"] * 8), r"^\d  \(\d+\.\d% sure\)$"),
}
"""Of some: what is asked (of `digits`, the text of a file), and what the answer looks like."""


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
