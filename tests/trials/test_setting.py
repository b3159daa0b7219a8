"""How long a trial is, from how the job's steps are."""

from pathlib import Path

from narrows.job.command import Command
from narrows.job.facts import Facts
from narrows.report.build import accounts_of
from narrows.trials.looked import Looked
from narrows.trials.setting import FEWEST_STEPS, Setting, setting
from tests.fakes import boundary, process


def how(*lengths: float) -> Setting:
    """Of a job with steps of so many milliseconds, again and again."""
    every = [lengths[i % len(lengths)] for i in range(60)]
    ends = [sum(every[: i + 1]) for i in range(len(every))]
    job = process(tuple(boundary(end, forward=ms) for end, ms in zip(ends, every, strict=True)))
    facts = Facts(id="", created="", narrows="", command=["train.py"], cwd="/")
    looked = Looked(folder=Path("/"), facts=facts, processes=[job], accounts=accounts_of(facts, [job]))
    made = setting(Command(words=("train.py",), typed=("train.py",), python="python"), looked)
    assert made is not None
    return made


def test_steps_that_are_alike_need_a_second() -> None:
    alike = how(100.0, 101.0, 99.0, 100.5)
    assert not alike.uneven
    assert alike.pace.boundaries == FEWEST_STEPS


def test_steps_that_are_unlike_each_other_need_as_many_as_tell_their_mean() -> None:
    unlike = how(*range(20, 180, 10))
    assert unlike.uneven
    assert 30 < unlike.pace.boundaries < 70


def test_but_no_more_than_there_is_time_for() -> None:
    slow = how(*range(200, 1800, 100))
    assert slow.uneven
    assert FEWEST_STEPS <= slow.pace.boundaries < 20
