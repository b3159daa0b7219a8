import pytest

from narrows.sweep.variants import variants


def test_every_combination_is_made_and_the_last_varies_fastest() -> None:
    found = variants(["OMP_NUM_THREADS=1,2"], ["--batch 32,64"])
    assert [v.setting for v in found] == [
        {"OMP_NUM_THREADS": threads, "--batch": batch} for threads in "12" for batch in ("32", "64")
    ]
    assert found[1].environment == (("OMP_NUM_THREADS", "1"),)


def test_without_any_the_job_is_run_once_as_it_is() -> None:
    (only,) = variants([], [])
    assert (only.setting, only.words(["train.py"])) == ({}, ["train.py"])


@pytest.mark.parametrize(
    ("job", "made"),
    [
        (["train.py"], ["train.py", "--batch", "64"]),
        (["train.py", "--batch", "8", "--lr", "1"], ["train.py", "--batch", "64", "--lr", "1"]),
        (["train.py", "--batch=8"], ["train.py", "--batch=64"]),
        (["train.py", "--batches", "8"], ["train.py", "--batches", "8", "--batch", "64"]),
    ],
)
def test_an_argument_takes_the_place_of_the_jobs_own(job: list[str], made: list[str]) -> None:
    assert variants([], ["--batch=64"])[0].words(job) == made


@pytest.mark.parametrize("text", ["OMP_NUM_THREADS", "OMP_NUM_THREADS=", "=1", "A=1,,2"])
def test_what_says_no_values_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no values"):
        variants([text], [])


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="--batch is given twice"):
        variants([], ["--batch 1", "--batch 2"])
