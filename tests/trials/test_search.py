"""The search, over a fake machine on which each remedy has a known effect."""

from dataclasses import dataclass, field

from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.search import Bench, Found, Option, search

LOSSES = (3.0, 2.5, 2.0, 1.8, 1.6, 1.5)


@dataclass
class Machine:
    """A step takes 10 seconds, times each remedy's factor; what ran, in order."""

    factors: dict[str, float]
    losses: dict[str, tuple[float, ...]] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    failing: dict[str, Unproven | KeyboardInterrupt] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    now: float = 0.0

    def run(self, arm: Arm) -> Measured:
        self.ran.append(arm.name)
        self.now += 1.0
        seconds, losses, memory = 10.0, LOSSES, 100
        for remedy, value in arm.remedies:
            name = f"{remedy}={value}"
            if name in self.failing:
                raise self.failing[name]
            seconds *= self.factors.get(name, 1.0)
            losses = self.losses.get(name, losses)
            memory = self.memory.get(name, memory)
        # Two that do the same are worth no more than one.
        if {"a=True", "twin=True"} <= {f"{r}={v}" for r, v in arm.remedies}:
            seconds /= self.factors["twin=True"]
        applied = frozenset(r for r, _ in arm.remedies if r not in self.silent)
        return Measured(seconds=seconds, losses=losses, peak_bytes=memory, applied=applied)


def option(remedy: str, value: bool | int = True, kind: str = "exact") -> Option:
    return Option(remedy=remedy, value=value, kind=kind, seconds=1.0)


def tried(machine: Machine, *options: Option, deadline: float = 1e9) -> Found:
    return search(options, Bench(run=machine.run, deadline=deadline, memory_bytes=1000, clock=lambda: machine.now))


def why(found: Found) -> dict[str, str]:
    return {verdict.option.name: verdict.why for verdict in found.verdicts}


def test_what_helps_is_kept_and_measured_together_afresh() -> None:
    machine = Machine({"a=True": 0.5, "b=True": 0.8})
    found = tried(machine, option("a"), option("b"), option("nothing"))
    assert [o.remedy for o in found.kept] == ["a", "b"]
    assert found.combined is not None
    assert round(found.combined.ratio, 3) == 2.5
    assert why(found) == {"a=True": "kept", "b=True": "kept", "nothing=True": "no gain"}
    assert machine.ran[-12:].count("a=True + b=True") == 6
    assert machine.ran.count("nothing=True") == 3  # hopeless, and given up


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


def test_a_spent_budget_ends_the_trials_but_not_the_last_proof() -> None:
    found = tried(Machine({"a=True": 0.5}), option("a"), deadline=4.0)
    assert found.kept == ()
    assert why(found) == {"a=True": "budget"}
    machine = Machine({"a=True": 0.5, "b=True": 0.9})
    found = tried(machine, option("a"), option("b"), deadline=20.0)
    assert [o.remedy for o in found.kept] == ["a"]
    assert found.combined is not None
    assert found.combined.pairs == 6


def test_an_interrupt_keeps_what_was_proven_before_it() -> None:
    options = [option(f"r{i}") for i in range(7)]
    machine = Machine({"r0=True": 0.5}, failing={"r6=True": KeyboardInterrupt()})
    found = tried(machine, *options)
    assert found.interrupted
    assert [o.remedy for o in found.kept] == ["r0"]
    assert found.combined is not None
    assert machine.ran[-1] in ("", "r6=True", "r4=True", "r5=True")  # nothing is run after it


def test_an_interrupt_before_anything_was_measured() -> None:
    machine = Machine({})

    def run(arm: Arm) -> Measured:
        raise KeyboardInterrupt

    machine.run = run  # type: ignore[method-assign]
    found = tried(machine, option("a"))
    assert found.interrupted
    assert why(found) == {"a=True": "interrupted"}
