"""When windows open: never before the times settle, with undisturbed steps between them, and again later."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from narrows.probe import job, schedule
from narrows.probe.spool import Spool

STATE = (
    "steady", "due", "enough", "_history", "_previous", "_began", "_turn", "_left", "_next", "_open", "_settled", "_plan",
    "_again", "_planned", "_renewed", "will_train", "_most_steps", "_most_ns", "_kind", "_off", "quiet",
)  # fmt: skip


class Window:
    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told = name, told

    def open(self) -> bool:
        self.told.append(self.name)
        return True

    def close(self) -> None:
        self.told.append("-")


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was opened (by name) and closed (`-`)."""
    kept = {name: getattr(schedule, name) for name in STATE}
    found: list[str] = []
    monkeypatch.setattr(job, "spool", Spool(str(tmp_path)))
    monkeypatch.setattr(schedule, "_history", [])
    monkeypatch.setattr(
        schedule, "kinds", {name: lambda name=name: Window(name, found) for name in ("alone", "lines", "ops", "values")}
    )
    yield found
    for name, value in kept.items():
        setattr(schedule, name, value)


def run(boundaries: int, *, start: int = 0, length: int = 30_000_000) -> list[bool]:
    """Whether each step was disturbed."""
    found, disturbed = [], schedule.is_open()
    for i in range(start, start + boundaries):
        now = (i + 1) * length
        job.spool.light(now, job.UPDATE, 0, int(disturbed))
        schedule.count(0, 0, now, disturbed)
        found.append(disturbed)
        disturbed = schedule.is_open()
        if schedule.due:
            schedule.turn(now)
            disturbed = disturbed or schedule.is_open()
    return found


def until_quiet(length: int = 30_000_000) -> list[bool]:
    found: list[bool] = []
    while not schedule.quiet and len(found) < 1000:
        found += run(1, start=len(found), length=length)
    return found


def test_the_plan_is_opened_once_in_order_with_undisturbed_steps_between(told: list[str]) -> None:
    disturbed = until_quiet()
    assert not any(disturbed[:9])
    assert told[::2] == list(schedule.PLAN)
    assert set(told[1::2]) == {"-"}


def test_short_steps_are_watched_for_longer(told: list[str]) -> None:
    run(schedule.LONGEST_WARMUP - 1, length=1_000_000)
    assert told == []
    run(1, start=schedule.LONGEST_WARMUP, length=1_000_000)
    assert told == ["alone"]


def test_long_steps_are_watched_for_fewer(told: list[str]) -> None:
    run(schedule.FEW, length=schedule.UNHURRIED_NS)
    assert told == []
    run(1, start=schedule.FEW, length=schedule.UNHURRIED_NS)
    assert told == ["alone"]


def test_long_steps_that_still_get_shorter_are_watched_on(told: list[str]) -> None:
    now = 0
    for length in (8, 8, 4, 4, 2, 2):
        now += length * 100_000_000
        schedule.count(0, 0, now, False)
        schedule.turn(now)
    assert told == []


def test_what_was_looked_at_before_the_first_update_is_looked_at_again_in_the_updates(told: list[str]) -> None:
    schedule.settings(0, 0.0)
    schedule.will_train = True
    schedule._kind = job.CALL
    for i in range(600):  # a rollout, all of whose calls look like steps
        schedule.count(job.CALL, 0, (i + 1) * 1_000_000, False)
        if schedule.due:
            schedule.turn((i + 1) * 1_000_000)
    assert schedule.quiet
    before = len(told)
    run(9, start=1000, length=schedule.UNHURRIED_NS // 2)
    assert told[before::2] == list(schedule.PLAN[:1])


def test_where_time_comes_in_bursts_a_window_lasts_from_one_to_the_next(told: list[str]) -> None:
    now, disturbed, open_for = 0, False, []
    for i in range(400):
        now += 30_000_000 if i % 12 == 11 else 2_000_000
        job.spool.light(now, job.UPDATE, 0, int(disturbed))
        schedule.count(0, 0, now, disturbed)
        disturbed = schedule.is_open()
        if schedule.due:
            opened = len(told)
            schedule.turn(now)
            disturbed = disturbed or schedule.is_open()
            if len(told) > opened:
                open_for.append(i)
    lengths = {
        b - a for name, a, b in zip(told[::2], open_for[::2], open_for[1::2], strict=False) if name in ("lines", "ops")
    }
    assert lengths == {12}


def test_windows_open_again_after_three_times_as_many_steps(told: list[str]) -> None:
    began = len(until_quiet())
    ended, opened = schedule.steady, len(told)
    run((schedule.LATER - 1) * ended - 1, start=began)
    assert len(told) == opened
    run(40, start=1000)
    assert told[opened::2] == list(schedule.AGAIN)
    assert schedule.quiet


def test_a_job_that_is_to_stop_after_some_steps_stops_then(told: list[str]) -> None:
    schedule.settings(30, 0)
    run(200)
    assert schedule.enough
    assert not schedule.quiet


def test_without_windows_it_stops_as_soon_as_the_steps_are_measured(told: list[str]) -> None:
    schedule.settings(30, 0, shallow=True)
    run(45)
    assert schedule.enough
    assert told == []


def test_long_steps_are_looked_at_half_as_often(told: list[str]) -> None:
    until_quiet(length=schedule.LONG_STEP_NS + 1)
    assert len(told) // 2 == schedule.HALF


def test_another_stage_of_the_job_is_looked_at_anew_but_not_for_ever(told: list[str]) -> None:
    schedule.settings(0, 0.0)
    schedule.renew()  # nothing has settled: there is nothing to do
    until_quiet()
    assert not schedule._renewed
    first, start = list(told), 100_000
    for stage in range(schedule.STAGES + 1):
        before = len(told)
        schedule.renew()
        start += 400
        run(300, start=start)
        again = told[before : before + len(first)]
        assert again == (first if stage < schedule.STAGES else [])


def test_a_window_that_is_open_is_closed_before_the_next_stage_settles(told: list[str]) -> None:
    schedule.settings(0, 0.0)
    start = 0
    while not schedule.is_open():
        run(1, start=start)
        start += 1
    schedule.renew()
    run(1, start=start)
    assert not schedule.is_open()
    assert told[-1] == "-"


def test_calls_before_the_first_update_of_a_job_that_trains_are_not_the_steps_that_were_asked_for(
    told: list[str],
) -> None:
    schedule.settings(10, 0.0, shallow=True)
    schedule.will_train, schedule._settled = True, True

    def calls(count: int, kind: int) -> bool:
        for i in range(count):
            schedule.count(kind, 0, i, False)
        return schedule.enough

    assert not calls(400, kind=1)
    assert calls(200, kind=1), "it only infers, after all"
    schedule.enough = False
    assert not calls(1, kind=0), "what was counted were no steps"
    schedule._settled = True
    assert not calls(9, kind=0)
    assert calls(1, kind=0)
