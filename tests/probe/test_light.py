"""Which steps are only counted: of long ones none, and none before enough were timed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from narrows.probe import job, light, schedule, state
from narrows.probe.hooks import distributed, module
from narrows.probe.spool import Spool


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("on", False), ("_left", 0), ("_since", 0)):
        monkeypatch.setattr(light, name, value)
    monkeypatch.setattr(schedule, "steady", 0)
    monkeypatch.setattr(job, "spool", Spool(str(tmp_path)))
    state.restart()
    yield
    light.stop()
    state.restart()


def run(steps: int, length_ns: int) -> list[bool]:
    """Whether each step was light."""
    found, now = [], 1
    for _ in range(steps):
        now += length_ns
        found.append(light.on)
        if light.on:
            light.boundary(now, 0)
        elif light.timed(now):
            light.begin()
    return found


def test_short_steps_are_timed_in_blocks() -> None:
    found = run(1000, 500_000)
    assert not any(found[: light.FIRST])
    late = found[light.FIRST :]
    assert sum(late[: light.LIGHT + light.TIMED]) == light.LIGHT
    assert late[: light.LIGHT] == [True] * light.LIGHT


def test_long_steps_are_all_timed() -> None:
    assert not any(run(1000, 5_000_000))


def test_a_light_step_lets_every_hook_pass_and_a_timed_one_starts_afresh() -> None:
    light.begin()
    assert module.inside
    assert state.now_in not in state.GAPS
    light.stop()
    assert not module.inside
    assert state.now_in == state.TAIL
    assert sum(state.ns) == 0


@pytest.mark.parametrize("inside", [module, distributed])
def test_ranks_and_a_trainer_that_is_a_module_have_none(inside: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "inside" if inside is module else "syncing", True)
    light.begin()
    assert not light.on
