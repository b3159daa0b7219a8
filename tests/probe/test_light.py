"""Which steps are only counted: of long ones none, and none before enough were timed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from narrows.probe import job, light, schedule, state
from narrows.probe.hooks import distributed, module
from narrows.probe.spool import Spool
from narrows.spool.read import boundaries


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("_left", "_since", "_typical", "_began", "_last", "_over"):
        monkeypatch.setattr(light, name, 0)
    monkeypatch.setattr(light, "_first", light.FIRST)
    monkeypatch.setattr(job, "updates", 0)
    monkeypatch.setattr(light, "on", False)
    monkeypatch.setattr(schedule, "steady", 0)
    monkeypatch.setattr(job, "spool", Spool(str(tmp_path)))
    state.restart()
    yield
    light.stop()
    light.ends.clear()
    state.restart()


def run(steps: int, length_ns: int, burst: Callable[[int], bool] = lambda step: False) -> list[bool]:
    """Whether each step was light. One with a burst takes twenty times as long."""
    found, now = [], 1
    for step in range(steps):
        now += length_ns * (20 if burst(step) else 1)
        found.append(light.on)
        if light.on:
            light.hook(lambda: now)(None, (), {})  # noqa: B023
        else:
            job.spool.light(now, job.UPDATE, 0, 0)
            if light.timed(now):
                light.begin(now)
    return found


def test_short_steps_are_timed_in_blocks() -> None:
    found = run(light.FIRST + light.LIGHT + light.TIMED, 500_000)
    assert not any(found[: light.FIRST])
    late = found[light.FIRST :]
    assert sum(late[: light.LIGHT + light.TIMED]) == light.LIGHT
    assert late[: light.LIGHT] == [True] * light.LIGHT


def test_long_steps_are_all_timed() -> None:
    assert not any(run(1000, 5_000_000))


def test_a_job_that_evaluates_now_and_then_has_no_light_steps() -> None:
    assert not any(run(2000, 500_000, lambda step: step % 50 == 49))


def test_a_job_that_evaluates_after_many_steps_is_timed_from_then_on() -> None:
    found = run(4000, 500_000, lambda step: step % 300 == 299 and step > light.FIRST)
    assert any(found[: light.FIRST + 300])
    assert not any(found[900 + light.GATHERED :])  # ends are looked at when they are written down


def test_a_job_that_was_held_up_at_first_has_light_steps_later() -> None:
    found = run(4000, 500_000, lambda step: step < light.FIRST and step % 20 == 19)
    assert not any(found[: light.FIRST])
    assert any(found[2 * light.FIRST :])


def test_every_light_step_is_written_down_with_its_end_and_its_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = SimpleNamespace(), SimpleNamespace()
    monkeypatch.setattr(light, "identify", lambda optimizer: int(optimizer == id(second)))
    monkeypatch.setattr(light, "_typical", 1)
    light.begin(1)
    for now in range(2, 42):
        light.hook(lambda: now)(second if now % 2 else first, (), {})  # noqa: B023
    light.stop()
    job.spool.head(42, 0.0, 0)
    found = boundaries(Path(job.spool.steps_path))
    assert [b.end_ns for b in found] == list(range(2, 42))
    assert [b.who for b in found] == [now % 2 for now in range(2, 42)]
    assert all(b.light for b in found)
    assert job.updates == schedule.steady == 40


def test_a_forked_child_leaves_to_its_parent_what_is_its_parents() -> None:
    light.begin(1)
    light.hook(lambda: 2)(None, (), {})
    light.off()
    assert job.spool.records == 0
    assert not light.on


def test_a_step_that_was_held_up_once_changes_nothing() -> None:
    found = run(2000, 500_000, lambda step: step == 100)
    assert sum(found[light.FIRST : light.FIRST + light.LIGHT + light.TIMED]) == light.LIGHT


def test_a_light_step_lets_every_hook_pass_and_a_timed_one_starts_afresh() -> None:
    light.begin(1)
    assert module.inside
    assert state.now_in not in state.GAPS
    light.stop()
    assert not module.inside
    assert state.now_in == state.TAIL
    assert sum(state.ns) == 0


@pytest.mark.parametrize("inside", [module, distributed])
def test_ranks_and_a_trainer_that_is_a_module_have_none(inside: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "inside" if inside is module else "ranked", True)
    light.begin(1)
    assert not light.on


def test_hooks_are_off_while_steps_are_light_unless_the_job_has_put_its_own_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooked = SimpleNamespace(ours=len, theirs=len)
    monkeypatch.setattr(light, "removable", [(hooked, "ours", len, repr), (hooked, "theirs", len, repr)])
    hooked.theirs = str
    light.begin(1)
    assert (hooked.ours, hooked.theirs) == (repr, str)
    light.stop()
    assert (hooked.ours, hooked.theirs) == (len, str)
