"""The recipe's file."""

from pathlib import Path

import pytest

from narrows.job.failure import Failure
from narrows.trials import recipe
from narrows.trials.recipe import Ingredient, Recipe

MADE = Recipe(
    command=("python", 'a "b".py', "日"), evidence="1.50 times as fast.", machine="AMD EPYC", cores=2, torch="2.13.0",
    narrows="0.1.0", remedies=(
        Ingredient(remedy="loader-workers", value=2, evidence="alone: 1.2", by_hand="DataLoader(..., num_workers=2)"),
        Ingredient(remedy="matmul-precision", value="high"), Ingredient(remedy="fused-optimizer", value=True),
    ),
)  # fmt: skip


def test_what_is_written_is_read_back_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "narrows.toml"
    recipe.write(path, MADE)
    found = recipe.read(path)
    assert found.command == MADE.command
    assert [(each.remedy, each.value) for each in found.remedies] == [(e.remedy, e.value) for e in MADE.remedies]
    assert (found.machine, found.cores, found.torch) == ("AMD EPYC", 2, "2.13.0")
    text = path.read_text()
    assert "# 1.50 times as fast." in text
    assert "# by hand: DataLoader(..., num_workers=2)" in text


@pytest.mark.parametrize(
    "text", ["not toml", "version = 9", 'version = 1\njob = ["x"]', "version = 1\njob = 3\n[measured_on]\ncores = 'x'"]
)
def test_what_is_no_recipe_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "narrows.toml"
    path.write_text(text)
    with pytest.raises(Failure) as failure:
        recipe.read(path)
    assert failure.value.code == 2
    assert str(path) in failure.value.message


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="there is no recipe"):
        recipe.read(tmp_path / "x.toml")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be written"):
        recipe.write(tmp_path / "missing" / "narrows.toml", MADE)
