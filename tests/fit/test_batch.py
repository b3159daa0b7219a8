from typing import Any

import pytest

from narrows.fit.choice import batches
from narrows.fit.sizes import Size
from narrows.job.command import Command
from tests.fit.jobs import command


def batch(job: Command, loader: dict[str, Any], seen: int, name: str) -> Size | None:
    """The likeliest."""
    return next(iter(batches(job, [loader], seen, name)), None)


def likeliest(job: Command, *loaders: dict[str, Any], seen: int, name: str = "") -> list[tuple[str, int]]:
    return [(each.name, each.now) for each in batches(job, loaders, seen, name)]


def test_a_job_in_which_nothing_looks_like_a_batch() -> None:
    assert batch(command("size = 8\nwidth = 8\n"), {}, 8, "") is None


def test_a_name_with_another_number_is_not_taken() -> None:
    assert batch(command("batch_size = 8\n"), {}, 32, "") is None


def test_the_only_number_that_is_the_models_leading_dimension() -> None:
    found = batch(command("rows = 8\nwidth = 64\n"), {}, 8, "")
    assert found is not None
    assert found.name == "rows"


def test_of_two_names_either_may_be_it() -> None:
    job = command("eval_batch_size = 8\nbatch_size = 8\n")
    assert likeliest(job, seen=8) == [("eval_batch_size", 8), ("batch_size", 8)]


def test_two_numbers_without_such_a_name_are_not_clear() -> None:
    assert batch(command("rows = 8\nheads = 8\n"), {}, 8, "") is None


def test_what_is_known_by_its_number_alone_is_a_guess() -> None:
    found = batch(command("dim = 64\nlayer = nn.Linear(dim, dim)\nx = torch.randn(64, dim)\n"), {}, 64, "")
    assert found is not None
    assert (found.name, found.guessed) == ("dim", True)


def test_a_loader_comes_first() -> None:
    job = command("batch_size = 8\n", "--batch-size", "8")
    found = batch(job, {"batch_size": 8, "batches": 10}, 8, "")
    assert found is not None
    assert (found.now, found.name, found.dataset) == (8, "DataLoader", 80)
    assert found.of(job, 16).told == {"batch": "8:16"}


def test_the_loader_whose_batch_the_model_is_given_comes_before_those_that_were_asked_sooner_or_later() -> None:
    """A pass for means and a check before the training, with larger batches; what is asked last is for an evaluation."""
    job = command("")
    first, mine, last = ({"batch_size": size, "batches": 10} for size in (256, 32, 128))
    assert likeliest(job, first, mine, last, seen=32) == [
        ("DataLoader", 32), ("DataLoader", 128), ("DataLoader", 256),
    ]  # fmt: skip
    assert likeliest(job, first, mine, seen=7)[0] == ("DataLoader", 32)  # tokens of all sentences


def test_an_epoch_is_that_of_the_longest_loader_of_that_batch() -> None:
    train, check = {"batch_size": 8, "batches": 100}, {"batch_size": 8, "batches": 2}
    for loaders in ((train, check), (check, train)):
        assert [each.dataset for each in batches(command(""), loaders, 8, "")] == [800]
    (exact,) = batches(command(""), ({**train, "picked": 797}, check), 8, "")
    assert exact.dataset == 797, "its last batch is a smaller one"
    (streamed,) = batches(command(""), (check, {"batch_size": 8, "batches": None}), 8, "")
    assert streamed.dataset is None


def test_a_loader_that_is_given_a_sampler_of_batches() -> None:
    """Of accelerate, say."""
    job = command("")
    found = batch(job, {"batch_size": None, "sampled": 8, "batches": 10}, 8, "")
    assert found is not None
    assert (found.kind, found.dataset, found.of(job, 4).told) == ("loader", 80, {"batch": "8:4"})


def test_what_the_model_is_given_comes_before_a_loader_of_another_size() -> None:
    """Each batch is cut up, or the loader is another's."""
    job = command("", "--micro-batch", "16")
    assert likeliest(job, {"batch_size": 64}, seen=16) == [("--micro-batch", 16), ("DataLoader", 64)]


def test_the_option_whose_batch_the_model_is_given_comes_first() -> None:
    job = command("", "--eval-batch-size", "256", "--batch-size", "32")
    assert likeliest(job, seen=32) == [("--batch-size", 32), ("--eval-batch-size", 256)]


def test_an_option_of_the_command_stands_for_its_default() -> None:
    job = command("parser.add_argument('--batch-size', default=64)\n", "--batch-size", "32")
    assert likeliest(job, seen=32) == [("--batch-size", 32)]


@pytest.mark.parametrize("word", ["data.batch_size=64", "+data.batch_size=64", "train.bs=64", "trainer.batch=64"])
def test_an_option_of_a_group(word: str) -> None:
    job = command("", word)
    found = batch(job, {}, 64, "")
    assert found is not None
    assert found.of(job, 16).command.words[-1] == word.replace("64", "16")


def test_a_keyword_of_a_call() -> None:
    job = command("arguments = TrainingArguments(per_device_train_batch_size=8, logging_steps=8)\n")
    found = batch(job, {}, 8, "")
    assert found is not None
    assert found.name == "per_device_train_batch_size"
    assert found.of(job, 4).files == {
        "train.py": "arguments = TrainingArguments(per_device_train_batch_size=4, logging_steps=8)\n"
    }


def test_a_name_that_is_given_its_number_twice() -> None:
    text = "batch_size = 8\nif small:\n    batch_size = 8\nload(batch_size=8, epochs=8)\n"
    job = command(text)
    for name in ("", "batch_size"):
        found = batch(job, {}, 8, name)
        assert found is not None
        changed = text.replace("batch_size = 8", "batch_size = 32").replace("batch_size=8", "batch_size=32")
        assert found.of(job, 32).files == {"train.py": changed}


def test_of_a_name_with_two_numbers_the_one_that_the_model_is_given() -> None:
    job = command("rows = 64\nif small:\n    rows = 8\n")
    assert likeliest(job, seen=8, name="rows") == [("rows", 8)]
    assert likeliest(job, seen=0, name="rows") == [("rows", 64)]


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
    assert (found.kind, found.guessed) == ("name", False)
    assert batch(job, {"batch_size": 4}, 4, "columns") is None
