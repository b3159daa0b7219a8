import pytest

from narrows.fit.sizes import batch
from tests.fit.jobs import command


def test_a_job_in_which_nothing_looks_like_a_batch() -> None:
    assert batch(command("size = 8\nwidth = 8\n"), {}, 8, "") is None


def test_a_name_with_another_number_is_not_taken() -> None:
    assert batch(command("batch_size = 8\n"), {}, 32, "") is None


def test_the_only_number_that_is_the_models_leading_dimension() -> None:
    found = batch(command("rows = 8\nwidth = 64\n"), {}, 8, "")
    assert found is not None
    assert found.name == "rows"


def test_two_names_are_not_clear() -> None:
    assert batch(command("batch_size = 8\neval_batch_size = 8\n"), {}, 8, "") is None


def test_a_loader_comes_first() -> None:
    job = command("batch_size = 8\n", "--batch-size", "8")
    found = batch(job, {"batch_size": 8, "batches": 10}, 8, "")
    assert found is not None
    assert (found.now, found.name, found.dataset) == (8, "DataLoader", 80)
    assert found.of(job, 16).told == {"batch": "8:16"}


@pytest.mark.parametrize(
    ("given", "made"),
    [(("--batch-size", "8"), ("--batch-size", "16")), (("--batch-size=8",), ("--batch-size=16",)),
     (("train.batch_size=8",), ("train.batch_size=16",))],
)  # fmt: skip
def test_an_option_of_the_command(given: tuple[str, ...], made: tuple[str, ...]) -> None:
    job = command("", *given)
    found = batch(job, {}, 8, "batch_size" if "." not in given[0] else "train.batch_size")
    assert found is not None
    assert found.of(job, 16).command.words == ("python", "train.py", *made)


def test_an_option_with_a_default_in_the_script() -> None:
    job = command("parser.add_argument('-b', '--batch', type=int, default=12)\n")
    found = batch(job, {}, 12, "")
    assert found is not None
    assert found.of(job, 3).command.words[-2:] == ("--batch", "3")


@pytest.mark.parametrize(
    ("text", "after"),
    [("batch_size, width = 8, 64  # é\n", "batch_size, width = 32, 64  # é\n"),
     ("def get(batch_size=8): ...\n", "def get(batch_size=32): ...\n"),
     ("class Config:\n    batch_size: int = 8\n", "class Config:\n    batch_size: int = 32\n")],
)  # fmt: skip
def test_a_name_in_the_script(text: str, after: str) -> None:
    job = command(text)
    found = batch(job, {}, 8, "")
    assert found is not None
    assert found.of(job, 32).files == {"train.py": after}


def test_the_name_that_the_user_gives() -> None:
    job = command("rows = 8\n")
    found = batch(job, {"batch_size": 4}, 4, "rows")
    assert found is not None
    assert found.kind == "name"
    assert batch(job, {"batch_size": 4}, 4, "columns") is None
