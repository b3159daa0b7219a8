"""One run of a workload, and what its lines say."""

from pathlib import Path

import pytest

from narrows.gallery import catalogue
from narrows.gallery.catalogue import Workload
from narrows.gallery.play import Score, play, progress, score


def workload(better: str = "higher") -> Workload:
    return Workload(
        name="my-job", field="", model="", data="", size="", licence="", bottleneck="", score="accuracy", better=better
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("accuracy 0.973  (baseline 0.100: always the commonest)\n", Score(name="accuracy", score=0.973, baseline=0.1, how="always the commonest")),
        ("mean return -12.5  (baseline -200: (random) policy)", Score(name="mean return", score=-12.5, baseline=-200.0, how="(random) policy")),
        ("accuracy 0.973 (baseline 0.100: one space)", None),
        ("epoch 1/3  loss 0.3", None),
    ],
)  # fmt: skip
def test_the_last_line_is_the_score(line: str, found: Score | None) -> None:
    assert score(line) == found


def test_lines_of_epochs_are_progress() -> None:
    assert progress("epoch 3/20  loss 0.412") == (3, 20)
    assert progress("step 50/300") == (50, 300)
    assert progress("in epoch 3/20") is None


def test_more_is_better_or_less() -> None:
    seen = Score(name="loss", score=0.3, baseline=0.7, how="")
    assert seen.beats(workload("lower"))
    assert not seen.beats(workload("higher"))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    return tmp_path / "my_job.py"


def test_its_lines_pass_and_the_last_one_is_read(script: Path) -> None:
    script.write_text("print('epoch 1/1'); print('accuracy 0.9  (baseline 0.5: a coin)')")
    lines: list[str] = []
    run = play(workload(), (), show=lines.append, bar=False)
    assert lines == ["epoch 1/1\n", "accuracy 0.9  (baseline 0.5: a coin)\n"]
    assert run.code == 0
    assert run.score == Score(name="accuracy", score=0.9, baseline=0.5, how="a coin")


def test_one_that_answers_or_fails_has_no_score(script: Path) -> None:
    script.write_text("import sys; print(sys.argv[1:]); sys.exit(3)")
    run = play(workload(), ("--infer", "x"), show=lambda line: None, bar=False)
    assert (run.code, run.score, run.said) == (3, None, "['--infer', 'x']")


def test_a_score_that_is_not_the_last_word_does_not_count(script: Path) -> None:
    script.write_text("print('accuracy 0.9  (baseline 0.5: a coin)'); print('but then'); raise SystemExit(1)")
    assert play(workload(), (), show=lambda line: None, bar=False).score is None
