"""When a memory run is over, by what it saw of the job."""

from narrows.probe.memory.ending import CALLS, LONE, PATIENCE, SECONDS, UNEVEN, WAITED, Ending

STEPS = 4


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def ending() -> tuple[Ending, Clock]:
    clock = Clock()
    return Ending(STEPS, clock), clock


def updates(over: Ending, turns: str, made: int = 1) -> int:
    """After how many of these updates (a letter is an optimizer) it is over; 0: never. `made`: optimizers from the start."""
    for count, who in enumerate(turns, 1):
        over.update(ord(who))
        if over.over(max(0, made - len(over.turns))):
            return count
    return 0


def test_one_optimizer() -> None:
    assert updates(ending()[0], "aaaaaa") == STEPS


def test_an_optimizer_that_has_one_turn_for_five_of_another_is_waited_for() -> None:
    assert updates(ending()[0], "aaaaab" * 9, made=2) == 6 * STEPS


def test_so_is_one_that_has_not_begun() -> None:
    over, clock = ending()
    assert not updates(over, "aaaaaaaa", made=2)
    clock.now += WAITED + 1
    assert updates(over, "a", made=2) == 1, "but not for ever"
    assert updates(ending()[0], "a" * 1000, made=2) == LONE * STEPS


def test_many_optimizers_with_few_updates_each() -> None:
    turns = "".join(chr(ord("a") + n) * 3 for n in range(60))
    assert updates(ending()[0], turns) == UNEVEN * STEPS + 1, "the last has made but one at the fortieth"


def test_a_job_that_never_trains_is_ended_after_so_many_calls_or_seconds() -> None:
    over, clock = ending()
    for _ in range(CALLS - 1):
        over.call(0)
    assert not over.over(0)
    over.call(0)
    assert over.over(0)
    assert not over.over(1), "with an optimizer, they may be a rollout"
    clock.now += SECONDS + 1
    assert not over.over(1)
    clock.now += PATIENCE * SECONDS
    assert over.over(1)


def test_a_job_that_updates_by_hand() -> None:
    over, _ = ending()
    over.call(0)
    for _ in range(2 * STEPS - 1):
        over.call(1)
        assert not over.over(0)
    assert over.nearly(0)
    over.call(1)
    assert over.over(0)
    assert not over.over(1), "gradients are accumulated"
