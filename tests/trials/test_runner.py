"""Jobs that cannot run beside themselves."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from narrows.trials import optimize
from narrows.trials.arm import AS_IT_IS, Arm, Measured, Unproven
from narrows.trials.rounds import Result
from narrows.trials.setting import Setting
from tests.trials.test_rounds import SETTING

BESIDE = replace(SETTING, most=4)
TWO = [AS_IT_IS, Arm(name="again")]


def with_jobs(monkeypatch: pytest.MonkeyPatch, *, port: bool, fails: str = "") -> list[int]:
    """How many ran beside each other in each round. `port`: of several all but one fail."""
    ran: list[int] = []

    def together(how: Setting, arms: Sequence[Arm]) -> list[Result]:
        ran.append(how.most)
        return [
            Unproven("failed", "address in use") if (i and port and how.most > 1) or arm.name == fails != "" else
            Measured(seconds=1.0)
            for i, arm in enumerate(arms)
        ]  # fmt: skip

    monkeypatch.setattr(optimize, "together", together)
    return ran


def test_a_job_that_needs_a_port_runs_alone_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_jobs(monkeypatch, port=True)
    run = optimize.Runner(BESIDE)
    assert all(isinstance(each, Measured) for each in [*run(TWO), *run(TWO)])
    assert ran == [4, 1, 1]


def test_a_remedy_that_fails_later_says_nothing_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = with_jobs(monkeypatch, port=False, fails="bad")
    run = optimize.Runner(BESIDE)
    run(TWO)
    run([*TWO, Arm(name="bad")])
    run(TWO)
    assert ran == [4, 4, 4]
