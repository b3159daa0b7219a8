"""The rounds of a proof, with trials that take no time."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from narrows.job.command import Command
from narrows.job.status import Status
from narrows.trials import prove
from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.counterfactual import Plan
from narrows.trials.prove import pairs
from narrows.trials.rounds import Result, rounds
from narrows.trials.setting import Setting
from narrows.trials.turns import Pace

INPUT = Plan(cause="input", left_out=("loader",))
HOST = Plan(cause="host", left_out=("/a.py:3",))
PACE = Pace(warmup=1, turn=1.0, least=1, seconds=1.0, boundaries=1, longest=9.0)
SETTING = Setting(command=Command(words=("x",), typed=("x",), python="x"), folder=Path("/"), rank=0, pace=PACE)


def with_trials(monkeypatch: pytest.MonkeyPatch, **seconds: float | Unproven | KeyboardInterrupt) -> list[str]:
    """Trials that take so long by cause, or fail; what was run, in order."""
    ran: list[str] = []

    def together(setting: Setting, arms: Sequence[Arm]) -> list[Result]:
        found: list[Result] = []
        for arm in arms:
            ran.append(arm.name or "as_it_is")
            what = seconds[ran[-1]]
            if isinstance(what, KeyboardInterrupt):
                raise what
            found.append(Measured(seconds=what) if isinstance(what, float) else what)
        return found

    monkeypatch.setattr(prove, "together", together)
    return ran


def test_each_round_holds_the_job_as_it_is_and_turns_round(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_trials(monkeypatch, as_it_is=4.0, input=1.0, host=2.0)
    first, second = pairs(SETTING, [INPUT, HOST], Status(quiet=True))
    assert ran[:6] == ["as_it_is", "input", "host", "host", "input", "as_it_is"]
    assert first.pairs == [(4.0, 1.0)] * 6
    assert second.pairs == [(4.0, 2.0)] * 6
    assert first.failed is None


def test_what_fails_is_not_tried_again_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_trials(monkeypatch, as_it_is=4.0, input=Unproven("failed", "KeyError: 'x'"), host=2.0)
    first, second = pairs(SETTING, [INPUT, HOST], Status(quiet=True))
    assert ran.count("input") == 1
    assert (first.pairs, first.failed, first.detail) == ([], "failed", "KeyError: 'x'")
    assert len(second.pairs) == 6


def test_a_job_that_cannot_be_run_again_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_trials(monkeypatch, as_it_is=Unproven("shield"), input=1.0, host=2.0)
    found = pairs(SETTING, [INPUT, HOST], Status(quiet=True))
    assert ran.count("as_it_is") == 1
    assert [each.failed for each in found] == ["shield", "shield"]


def test_an_interrupt_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with_trials(monkeypatch, as_it_is=4.0, input=KeyboardInterrupt())
    (found,) = pairs(SETTING, [INPUT], Status(quiet=True))
    assert (found.pairs, found.failed) == ([], "interrupted")


def test_nothing_to_leave_out_is_said_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_trials(monkeypatch, as_it_is=4.0)
    (found,) = pairs(SETTING, [Plan(cause="host", left_out=())], Status(quiet=True))
    assert (ran, found.failed) == ([], "nothing")


def test_the_base_is_in_each_group_of_arms_that_run_at_once() -> None:
    ran: list[list[str]] = []

    def run(arms: Sequence[Arm]) -> list[Result]:
        ran.append([arm.name for arm in arms])
        return [Measured(seconds=float(len(ran))) for _ in arms]

    others = [Arm(name=str(i)) for i in range(5)]
    found = rounds(run, Arm(name="base"), others, most=2, size=4)
    assert ran[:2] == [["base", "0", "1", "2"], ["base", "3", "4"]]
    assert ran[2:] == [["2", "1", "0", "base"], ["4", "3", "base"]]
    assert all(before.seconds == after.seconds for pairs in found.pairs.values() for before, after in pairs)
