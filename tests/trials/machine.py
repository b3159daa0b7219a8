"""A fake machine on which each remedy has a known effect."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.option import Option
from narrows.trials.rounds import Result

LOSSES = (3.0, 2.5, 2.0, 1.8, 1.6, 1.5)


@dataclass
class Machine:
    """A step takes 10 seconds, times each remedy's factor; what ran, in order."""

    factors: dict[str, float]
    losses: dict[str, tuple[float, ...]] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    """Bytes that the job takes with a remedy; without any, 100."""
    room: dict[str, float] = field(default_factory=dict)
    """By how much a remedy multiplies them."""
    silent: tuple[str, ...] = ()
    failing: dict[str, Unproven | KeyboardInterrupt] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    now: float = 0.0

    def together(self, arms: Sequence[Arm]) -> list[Result]:
        found: list[Result] = []
        for each in arms:
            try:
                found.append(self.run(each))
            except Unproven as why:
                found.append(why)
        return found

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
            memory = round(self.memory.get(name, memory) * self.room.get(name, 1.0))
        # Two that do the same are worth no more than one.
        if {"a=True", "twin=True"} <= {f"{r}={v}" for r, v in arm.remedies}:
            seconds /= self.factors["twin=True"]
        applied = frozenset(r for r, _ in arm.remedies if r not in self.silent)
        return Measured(seconds=seconds, losses=losses, peak_bytes=memory, applied=applied)


def option(remedy: str, value: bool | int = True, kind: str = "exact") -> Option:
    return Option(remedy=remedy, value=value, kind=kind, seconds=1.0)
