"""The proof, over a fake machine on which two remedies add nothing but noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from narrows.trials.arm import Arm, Measured
from narrows.trials.bench import Bench, Own
from narrows.trials.option import Option
from narrows.trials.proof import Proven, prove
from narrows.trials.rounds import Result
from tests.trials.machine import LOSSES, Machine, option

PARTS = 5
"""Arms of a round of three remedies: the original, the whole, and the whole without each."""


@dataclass
class Noisy(Machine):
    """With what does nothing, each second round is a little faster."""

    noise: tuple[str, ...] = ("x=True", "y=True")
    turns: int = 0

    def together(self, arms: Sequence[Arm]) -> list[Result]:
        self.turns += 1
        self.factors.update(dict.fromkeys(self.noise, 0.97 if self.turns % 2 else 1.03))
        return Machine.together(self, arms)


def proven(machine: Machine, options: Sequence[Option], deadline: float) -> Proven:
    bench = Bench(run=machine.together, deadline=deadline, memory_bytes=1000, clock=lambda: machine.now)
    alone = Measured(seconds=10.0, losses=LOSSES, peak_bytes=100)
    return prove(options, bench, Own(first=alone, again=(alone,), other=(alone,)))


OPTIONS = (option("a"), option("x"), option("y"))


def test_what_adds_nothing_is_dropped_one_by_one_while_there_is_time() -> None:
    found = proven(machine := Noisy({"a=True": 0.5}), OPTIONS, deadline=1e9)
    assert [o.remedy for o in found.kept] == ["a"]
    assert found.why == {"x=True": "beside", "y=True": "beside"}
    assert machine.ran.count("a=True + x=True") + machine.ran.count("a=True + y=True") > 9


def test_where_the_budget_is_spent_all_of_it_is_dropped_and_the_rest_proven_once() -> None:
    found = proven(machine := Noisy({"a=True": 0.5}), OPTIONS, deadline=6 * PARTS - 1)
    assert [o.remedy for o in found.kept] == ["a"]
    assert found.why == {"x=True": "beside", "y=True": "beside"}
    assert found.combined is not None
    assert round(found.combined.ratio, 3) == 2.0
    assert len(machine.ran) == 6 * PARTS + 6 * 2


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_of_what_the_budget_did_not_reach_to_ask_nothing_is_dropped(rounds: int) -> None:
    """The whole is proven with it, and as far as the budget goes, what each part adds has been measured."""
    found = proven(machine := Noisy({"a=True": 0.5}), OPTIONS, deadline=rounds * PARTS - 1)
    assert [o.remedy for o in found.kept] == ["a", "x", "y"]
    assert found.combined is not None
    assert found.combined.pairs == 6
    assert len(machine.ran) == rounds * PARTS + (6 - rounds) * 2


@dataclass
class Restless(Machine):
    """Each round is lucky or not: faster by a tenth, as the mean of the rounds is, is what only many of them show."""

    turns: int = 0

    def together(self, arms: Sequence[Arm]) -> list[Result]:
        self.turns += 1
        self.factors["a=True"] = (1.03, 0.75, 0.95)[self.turns % 3]
        return Machine.together(self, arms)


def test_what_seems_to_be_worth_it_is_run_for_longer_while_the_budget_reaches() -> None:
    found = proven(Restless({}), OPTIONS[:1], deadline=1e9)
    assert [o.remedy for o in found.kept] == ["a"]
    assert found.combined is not None
    assert found.combined.pairs in (12, 15, 18)


def test_where_the_budget_is_spent_it_is_given_up_at_the_next_look() -> None:
    found = proven(machine := Restless({}), OPTIONS[:1], deadline=0.0)
    assert found.kept == ()
    assert len(machine.ran) == 9 * 2
    found = proven(machine := Restless({}), OPTIONS[:1], deadline=2 * 10)
    assert len(machine.ran) == 12 * 2


def test_what_is_not_worth_it_is_not_run_for_longer() -> None:
    machine = Noisy({})
    assert proven(machine, OPTIONS[1:2], deadline=1e9).kept == ()
    assert len(machine.ran) == 9 * 2


def test_of_several_that_add_nothing_to_each_other_the_best_stays() -> None:
    """Each of these two does what the other does."""
    twins = (option("a"), option("twin"))
    found = proven(Machine({"a=True": 0.5, "twin=True": 0.6}), twins, deadline=3 * 4 - 1)
    assert [o.remedy for o in found.kept] == ["a"]
