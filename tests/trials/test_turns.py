"""Turns of processes that exist on a fake clock only."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from narrows.trials.turns import Pace, Turns

PACE = Pace(warmup=5, turn=0.2, least=4, seconds=1.0, boundaries=20, longest=50.0)


@dataclass
class World:
    """Time passes where somebody sleeps; processes that are not held work meanwhile."""

    now: float = 0.0
    children: list["Fake"] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for child in self.children:
            if child.alive and not child.held:
                child.work(seconds)


@dataclass
class Fake:
    world: World
    name: str
    step: float
    begins: float = 1.0
    steps: float = float("inf")
    alive: bool = False
    held: bool = False
    worked: float = 0.0
    turns: list[tuple[float, float]] = field(default_factory=list)
    late: bool = False
    made_ahead: int = 0

    def start(self) -> None:
        self.alive = True
        self.world.children.append(self)

    def work(self, seconds: float) -> None:
        self.worked += seconds
        self.alive = self.boundaries() < self.steps

    def go(self) -> None:
        self.held = False

    def hold(self) -> float:
        self.held = True
        return self.world.now

    def ahead(self) -> int:
        return self.made_ahead

    def count(self, begin: float, end: float) -> None:
        self.turns.append((begin, end))

    def boundaries(self) -> int:
        return max(0, int((self.worked - self.begins) / self.step))

    def running(self) -> bool:
        return self.alive

    def give_up(self) -> None:
        self.alive, self.late = False, True


def played(*steps: float, pace: Pace = PACE, **how: float) -> tuple[World, list[Fake]]:
    world = World()
    children = [Fake(world, str(i), step, **how) for i, step in enumerate(steps)]  # type: ignore[arg-type]
    Turns(children, pace, clock=lambda: world.now, sleep=world.sleep).play()
    return world, children


def test_only_one_runs_in_a_turn_and_all_are_held_at_the_end() -> None:
    _, children = played(0.01, 0.02, 0.05)
    every = sorted(turn for child in children for turn in child.turns)
    assert all(a[1] <= b[0] for a, b in pairwise(every))
    assert all(child.held and child.alive for child in children)


def test_turns_last_for_seconds_and_for_steps_and_go_on_until_all_were_measured() -> None:
    _, (quick, slow) = played(0.01, 0.1)
    assert all(0.2 <= end - begin < 0.25 for begin, end in quick.turns)
    assert all(0.4 <= end - begin < 0.65 for begin, end in slow.turns)
    assert len(quick.turns) == len(slow.turns)
    assert sum(end - begin for begin, end in slow.turns) >= 20 * 0.1


def test_a_turn_ends_just_after_a_boundary() -> None:
    """Else a long step, an evaluation, would nearly always be the one that is cut off."""
    _, (child, _) = played(0.15, 0.15)
    for _, end in child.turns:
        assert end >= 0
    assert child.turns
    for begin, end in child.turns:
        assert 0.6 <= end - begin < 0.6 + 0.15 + 0.04


def test_each_second_pass_is_backwards() -> None:
    _, (a, b) = played(0.01, 0.01)
    assert a.turns[0] < b.turns[0] < b.turns[1] < a.turns[1]


def test_start_up_and_warm_up_are_not_counted() -> None:
    _, children = played(0.01, 0.01)
    for child in children:
        assert min(begin for begin, _ in child.turns) >= child.begins + PACE.warmup * child.step


def test_what_was_made_ahead_is_used_up_first_and_then_measured_for_long() -> None:
    _, children = played(0.05, 0.05, made_ahead=16)
    for child in children:
        assert min(begin for begin, _ in child.turns) >= child.begins + (PACE.warmup + 16) * child.step
        assert sum(end - begin for begin, end in child.turns) >= 3 * 16 * child.step


def test_no_more_begin_at_once_than_there_are_cores() -> None:
    _, children = played(*[0.01] * 5)
    # Two at a time: three times the second that one needs to begin, and not five times.
    first = min(begin for child in children for begin, _ in child.turns)
    assert 3.0 <= first < 3.5


def test_a_job_that_ends_by_itself_ends_the_round() -> None:
    _, (a, b) = played(0.01, 0.01, steps=60)
    assert not a.alive or not b.alive
    assert 0 < len(a.turns) <= 4


def test_a_job_that_is_over_before_anybody_looked() -> None:
    _, children = played(0.01, 0.01, steps=1)
    assert [child.turns for child in children] == [[], []]


@pytest.mark.parametrize("how", [{"begins": 1e9}, {"step": 1e9}])
def test_one_that_hangs_is_given_up_and_the_rest_is_measured(how: dict[str, float]) -> None:
    world = World()
    hangs, works = Fake(world, "hangs", **{"step": 0.01, **how}), Fake(world, "works", 0.01)
    Turns([hangs, works], PACE, clock=lambda: world.now, sleep=world.sleep).play()
    assert (hangs.late, works.late) == (True, False)
    assert works.alive
