"""The rounds of a proof, with trials that take no time."""

from pathlib import Path

import pytest

from narrows.job.command import Command
from narrows.job.status import Status
from narrows.trials import prove
from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.counterfactual import Plan
from narrows.trials.prove import pairs
from narrows.trials.trial import Setting

INPUT = Plan(cause="input", left_out=("loader",))
HOST = Plan(cause="host", left_out=("/a.py:3",))
SETTING = Setting(
    command=Command(words=("x",), typed=("x",), python="x"), folder=Path("/"), rank=0, steps=9, longest=9.0
)


def with_trials(monkeypatch: pytest.MonkeyPatch, **seconds: float | BaseException) -> list[str]:
    """Trials that take so long by cause, or fail; what was run, in order."""
    ran: list[str] = []

    def trial(setting: Setting, arm: Arm) -> Measured:
        ran.append(arm.name or "as_it_is")
        found = seconds[ran[-1]]
        if isinstance(found, BaseException):
            raise found
        return Measured(seconds=found)

    monkeypatch.setattr(prove, "trial", trial)
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
    ran = with_trials(monkeypatch, as_it_is=Unproven("shield"))
    found = pairs(SETTING, [INPUT, HOST], Status(quiet=True))
    assert ran == ["as_it_is"]
    assert [each.failed for each in found] == ["shield", "shield"]


def test_an_interrupt_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with_trials(monkeypatch, as_it_is=4.0, input=KeyboardInterrupt())
    (found,) = pairs(SETTING, [INPUT], Status(quiet=True))
    assert (found.pairs, found.failed) == ([], "interrupted")


def test_nothing_to_leave_out_is_said_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_trials(monkeypatch, as_it_is=4.0)
    (found,) = pairs(SETTING, [Plan(cause="host", left_out=())], Status(quiet=True))
    assert (ran, found.failed) == ([], "nothing")
