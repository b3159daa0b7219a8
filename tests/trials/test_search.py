"""The search, over a fake machine on which each remedy has a known effect."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.bench import Bench
from narrows.trials.option import Option
from narrows.trials.rounds import Result
from narrows.trials.search import Found, Further, search
from tests.trials.machine import LOSSES, Machine, option


def tried(machine: Machine, *options: Option, deadline: float = 1e9, later: Sequence[Option] = (),
          further: Further = lambda option: ()) -> Found:  # fmt: skip
    """`later`: what the second look at the job names besides."""

    def look(kept: Sequence[Option]) -> list[Option]:
        return [*options, *(later if kept else ())]

    bench = Bench(run=machine.together, deadline=deadline, memory_bytes=1000, clock=lambda: machine.now)
    return search(look, bench, further)


def why(found: Found) -> dict[str, str]:
    return {verdict.option.name: verdict.why for verdict in found.verdicts}


def test_what_helps_is_kept_and_proven_together_and_without_each() -> None:
    machine = Machine({"a=True": 0.5, "b=True": 0.8})
    found = tried(machine, option("a"), option("b"), option("nothing"))
    assert [o.remedy for o in found.kept] == ["a", "b"]
    assert found.combined is not None
    assert round(found.combined.ratio, 3) == 2.5
    assert found.combined.pairs == 6
    assert why(found) == {"a=True": "kept", "b=True": "kept", "nothing=True": "no gain"}
    assert [round(v.gain.ratio, 3) for v in found.verdicts if v.gain] == [2.0, 1.25, 1.0]
    assert [machine.ran.count(name) for name in ("nothing=True", "a=True + b=True", "b=True")] == [1, 1 + 6, 1 + 6]


def test_of_two_that_do_the_same_one_is_kept() -> None:
    found = tried(Machine({"a=True": 0.5, "twin=True": 0.6}), option("a"), option("twin"))
    assert [o.remedy for o in found.kept] == ["a"]
    assert why(found)["twin=True"] == "beside"


def test_the_best_setting_of_a_remedy_is_kept() -> None:
    found = tried(Machine({"w=1": 0.8, "w=2": 0.6}), option("w", 1), option("w", 2))
    assert [o.name for o in found.kept] == ["w=2"]


def test_a_slower_one_and_one_that_changes_the_results_are_not_kept() -> None:
    machine = Machine(
        {"slow=True": 1.5, "wrong=True": 0.5, "large=True": 0.5}, losses={"wrong=True": (3.0, 9.0, 9.0, 9.0, 9.0, 9.0)},
        memory={"large=True": 990},
    )  # fmt: skip
    found = tried(machine, option("slow"), option("wrong"), option("large"))
    assert found.kept == ()
    assert found.combined is None
    assert why(found) == {"slow=True": "no gain", "wrong=True": "parity", "large=True": "memory"}


def test_a_gain_of_a_remedy_that_changed_nothing_is_chance() -> None:
    found = tried(Machine({"a=True": 0.5}, silent=("a",)), option("a"))
    assert why(found) == {"a=True": "not applied"}


def test_one_that_fails_leaves_the_rest() -> None:
    machine = Machine({"b=True": 0.5}, failing={"a=True": Unproven("failed", "boom")})
    found = tried(machine, option("a"), option("b"))
    assert [o.remedy for o in found.kept] == ["b"]
    assert found.verdicts[0].detail == "boom"


def test_the_bottleneck_moves_and_the_job_is_looked_at_again() -> None:
    machine = Machine({"a=True": 0.5, "c=True": 0.7})
    found = tried(machine, option("a"), later=[option("c")])
    assert [o.remedy for o in found.kept] == ["a", "c"]
    assert found.combined is not None
    assert round(found.combined.ratio, 2) == round(1 / 0.35, 2)


def test_what_comes_later_and_does_not_stand_leaves_what_was_proven() -> None:
    machine = Machine({"a=True": 0.5, "c=True": 1.2})
    found = tried(machine, option("a"), later=[option("c")])
    assert [o.remedy for o in found.kept] == ["a"]
    assert why(found)["c=True"] == "no gain"


def test_a_number_is_followed_as_long_as_it_helps() -> None:
    machine = Machine({"w=2": 0.8, "w=4": 0.6, "w=8": 0.5, "w=16": 0.7})
    found = tried(machine, option("w", 2), further=lambda o: [option("w", 2 * int(o.value))])
    assert [o.name for o in found.kept] == ["w=8"]
    assert why(found) == {"w=2": "beside", "w=4": "beside", "w=8": "kept", "w=16": "beside"}


def test_one_bad_round_does_not_end_what_should_help_much() -> None:
    machine = Machine({"a=True": 1.1})

    def together(arms: Sequence[Arm]) -> list[Result]:
        if "a=True" in machine.ran:
            machine.factors["a=True"] = 0.5
        return Machine.together(machine, arms)

    machine.together = together  # type: ignore[method-assign]
    large = Option(remedy="a", value=True, kind="exact", seconds=4.0)
    assert [o.remedy for o in tried(machine, large).kept] == ["a"]


def test_where_nothing_helps_what_one_round_may_have_hidden_has_three_more() -> None:
    machine = Machine({"a=True": 1.02, "slow=True": 1.2})

    def together(arms: Sequence[Arm]) -> list[Result]:
        if "a=True" in machine.ran:
            machine.factors["a=True"] = 0.9
        return Machine.together(machine, arms)

    machine.together = together  # type: ignore[method-assign]
    found = tried(machine, option("a"), option("slow"))
    assert [o.remedy for o in found.kept] == ["a"]
    assert [machine.ran.count(name) for name in ("slow=True", "a=True")] == [1, 1 + 3 + 6]


def test_what_three_rounds_more_do_not_help_is_turned_down() -> None:
    machine = Machine({"a=True": 0.99, "idle=True": 1.0, "slow=True": 1.06})
    found = tried(machine, option("a"), option("idle"), option("slow"))
    assert set(why(found).values()) == {"no gain"}
    assert [v.gain.pairs for v in found.verdicts if v.gain] == [3, 2, 1]
    assert [machine.ran.count(name) for name in ("a=True", "idle=True", "slow=True")] == [1 + 3, 1 + 2, 1]


def test_one_that_helps_alone_and_not_with_the_others_is_dropped_by_the_proof() -> None:
    """In the search it looks as if it added something: a round is no proof."""
    machine = Machine({"a=True": 0.5, "lucky=True": 0.9})

    def together(arms: Sequence[Arm]) -> list[Result]:
        if machine.ran.count("a=True + lucky=True") > 0:
            machine.factors["lucky=True"] = 1.0
        return Machine.together(machine, arms)

    machine.together = together  # type: ignore[method-assign]
    found = tried(machine, option("a"), option("lucky"))
    assert [o.remedy for o in found.kept] == ["a"]
    assert why(found)["lucky=True"] == "beside"
    assert found.combined is not None
    assert round(found.combined.ratio, 3) == 2.0


def test_a_spent_budget_ends_the_trials_but_not_the_last_proof() -> None:
    found = tried(Machine({"a=True": 0.5}), option("a"), deadline=2.0)
    assert found.kept == ()
    assert why(found) == {"a=True": "budget"}
    machine = Machine({"a=True": 0.5, "b=True": 0.9})
    found = tried(machine, option("a"), option("b"), deadline=7.0)
    assert [o.remedy for o in found.kept] == ["a"]
    assert why(found) == {"a=True": "kept", "b=True": "budget"}
    assert found.combined is not None
    assert found.combined.pairs == 6


def test_a_larger_step_is_not_hopeless_for_being_longer() -> None:
    """It takes half as long again, for twice the samples."""
    machine = Machine({"larger=2": 1.5})

    def together(arms: Sequence[Arm]) -> list[Result]:
        found = Machine.together(machine, arms)
        sizes = [64.0 if arm.remedies else 32.0 for arm in arms]
        return [replace(m, samples=size) for m, size in zip(found, sizes, strict=True) if isinstance(m, Measured)]

    machine.together = together  # type: ignore[method-assign]
    found = tried(machine, option("larger", 2, "training"))
    assert [o.name for o in found.kept] == ["larger=2"]
    assert found.combined is not None
    assert round(found.combined.ratio, 2) == 1.33


def test_an_interrupt_keeps_what_was_proven_before_it() -> None:
    machine = Machine({"a=True": 0.5}, failing={"c=True": KeyboardInterrupt()})
    found = tried(machine, option("a"), later=[option("c")])
    assert found.interrupted
    assert [o.remedy for o in found.kept] == ["a"]
    assert why(found)["c=True"] == "interrupted"
    assert machine.ran[-1] in ("a=True", "a=True + c=True")  # nothing is run after it


def test_an_interrupt_before_the_proof_keeps_nothing() -> None:
    machine = Machine({"a=True": 0.5}, failing={"b=True": KeyboardInterrupt()})
    found = tried(machine, option("a"), option("b"))
    assert found.interrupted
    assert found.kept == ()
    assert set(why(found).values()) == {"interrupted"}


def test_an_interrupt_before_anything_was_measured() -> None:
    machine = Machine({})

    def run(arm: Arm) -> Measured:
        raise KeyboardInterrupt

    machine.run = run  # type: ignore[method-assign]
    found = tried(machine, option("a"))
    assert found.interrupted
    assert why(found) == {"a=True": "interrupted"}


def test_remedies_that_do_nothing_are_a_recipe_in_at_most_one_of_twenty() -> None:
    """The machine's speed drifts from round to round, and each process is lucky or not; the search picks what looks
    best, and the rule that stops early is part of the test."""
    names = [option(f"nothing{i}") for i in range(4)]
    claims = sum(bool(search(lambda kept: names, _noise(random.Random(seed))).kept) for seed in range(400))
    assert claims <= 0.05 * 400


def _noise(rng: random.Random) -> Bench:
    speed = [1.0]

    def together(arms: Sequence[Arm]) -> list[Result]:
        speed[0] *= math.exp(rng.gauss(0, 0.05))
        return [
            Measured(
                seconds=speed[0] * math.exp(rng.gauss(0, 0.03)) * (1.3 if rng.random() < 0.1 else 1.0),
                losses=LOSSES, applied=frozenset(r for r, _ in arm.remedies),
            )
            for arm in arms
        ]  # fmt: skip

    return Bench(run=together, deadline=1e9, memory_bytes=1 << 30, clock=lambda: 0.0)
