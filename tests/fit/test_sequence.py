from collections.abc import Collection, Sequence

import pytest

from narrows.fit.choice import batches, lengths, went
from narrows.fit.sizes import Size
from narrows.job.command import Command
from tests.fit.jobs import command


def sequence(job: Command, shapes: Collection[Sequence[int]], name: str) -> Size | None:
    return next(iter(lengths(job, shapes, name)), None)


@pytest.mark.parametrize(
    "text",
    ["batch_size = 8\nwidth = 64\n", "block_size = 128\n", "seq_len = 64\nwindow = 64\n", "max_new_tokens = 64\n",
     "patience_window = 'a'\n"],
    ids=["no name of one", "another number", "two names", "what is to come", "no number"],
)  # fmt: skip
def test_what_is_no_length(text: str) -> None:
    assert sequence(command(text), [(8, 64)], "") is None


def test_a_job_whose_input_was_not_seen() -> None:
    assert sequence(command("seq_len = 64\n"), [], "") is None


@pytest.mark.parametrize(
    "name",
    ["seq_len", "seqlen", "SEQ_LEN", "sequence_length", "seq_length", "max_seq_len", "max_seq_length", "block_size",
     "context", "context_length", "context_len", "context_size", "ctx_len", "n_ctx", "max_length", "max_len", "n_positions",
     "window", "window_size", "bptt", "max_position_embeddings", "tgt_seq", "lookback", "LENGTH"],
)  # fmt: skip
def test_names_that_people_give_it(name: str) -> None:
    found = sequence(command(f"{name} = 64\n"), [(8, 64)], "")
    assert found is not None
    assert (found.name, found.now, found.what) == (name, 64, "sequence")


@pytest.mark.parametrize(
    ("given", "made"),
    [(("--seq-len", "64"), ("--seq-len", "16")), (("--block_size=64",), ("--block_size=16",)),
     (("model.seq_len=64",), ("model.seq_len=16",))],
)  # fmt: skip
def test_an_option_of_the_command(given: tuple[str, ...], made: tuple[str, ...]) -> None:
    job = command("", *given)
    found = sequence(job, [(8, 64)], "")
    assert found is not None
    assert found.of(job, 16).command.words == ("python", "train.py", *made)


def test_an_option_with_a_default_in_the_script() -> None:
    job = command("parser.add_argument('--bptt', type=int, default=35)\n")
    found = sequence(job, [(35, 20)], "")
    assert found is not None
    assert found.of(job, 70).command.words[-2:] == ("--bptt", "70")


@pytest.mark.parametrize(
    ("text", "after"),
    [("block_size = 64  # é\n", "block_size = 32  # é\n"),
     ("def __init__(self, block_size=64): ...\nblock_size = 64\n", "def __init__(self, block_size=32): ...\nblock_size = 32\n"),
     ("tokens(text, padding='max_length', max_length=64)\n", "tokens(text, padding='max_length', max_length=32)\n"),
     ("config = {'seq_len': 64, 'dim': 64}\n", "config = {'seq_len': 32, 'dim': 64}\n")],
    ids=["a name", "wherever it is", "a keyword", "a dict"],
)  # fmt: skip
def test_in_the_script(text: str, after: str) -> None:
    job = command(text)
    found = sequence(job, [(8, 64)], "")
    assert found is not None
    assert found.of(job, 32).files == {"train.py": after}


def test_the_second_dimension_comes_first() -> None:
    found = sequence(command("window = 8\nseq_len = 64\n"), [(8, 64)], "")
    assert found is not None
    assert found.name == "seq_len"


def test_the_name_that_the_user_gives() -> None:
    job = command("tokens = 64\n")
    found = sequence(job, [(8, 63)], "tokens")
    assert found is not None
    assert (found.name, found.now) == ("tokens", 64)
    assert sequence(job, [(8, 63)], "words") is None


def test_the_length_is_not_taken_for_the_batch() -> None:
    assert batches(command("bptt = 35\n"), [], 35, "") == []


@pytest.mark.parametrize(
    ("before", "after", "is_it"),
    [([(8, 64)], [(8, 128)], True), ([(8, 63)], [(8, 127)], True), ([(64, 20)], [(128, 20)], True),
     ([(8, 64), (8, 10)], [(8, 12), (8, 128)], True), ([(8, 64)], [(8, 64)], False), ([(8, 64)], [(16, 128)], False),
     ([(8, 64)], [(8, 100)], False), ([(8, 64)], [(8, 128, 3)], False), ([], [(8, 128)], False)],
)  # fmt: skip
def test_whether_the_input_went_with_it(
    before: list[tuple[int, ...]], after: list[tuple[int, ...]], is_it: bool
) -> None:
    assert went(before, after, 64, 128) is is_it


def test_only_the_first_axes_may_be_the_batch() -> None:
    assert went([(64, 3, 32)], [(64, 3, 16)], 32, 16)
    assert not went([(64, 3, 32)], [(64, 3, 16)], 32, 16, axes=2)
    assert went([(35, 32)], [(35, 16)], 32, 16, axes=2)
    assert not went([(32, 32)], [(32, 16)], 32, 16, axes=1)
