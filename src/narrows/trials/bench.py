"""How arms are run, and until when; and how the original differs from itself."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from narrows.trials.arm import AS_IT_IS, Arm, Measured, Unproven
from narrows.trials.rounds import ANY, Groups, Pairs, Result, Rounds, Run, rounds


@dataclass(frozen=True, kw_only=True)
class Own:
    """The original's own variation: run again, and with another seed."""

    first: Measured
    again: tuple[Measured, ...]
    other: tuple[Measured, ...]


@dataclass(kw_only=True)
class Bench:
    run: Run
    deadline: float
    """On `clock`, in seconds."""
    memory_bytes: int
    size: int = ANY
    """Arms that are run at once."""
    spread: Groups | None = None
    """Where there are several machines: runs groups of arms on them, at once."""
    machines: int = 1
    say: Callable[[str], None] = lambda text: None
    clock: Callable[[], float] = time.monotonic
    costs: list[float] = field(default_factory=list)
    """Seconds of a machine that the rounds so far took, by arm."""

    def late(self, arms: int = 0) -> bool:
        """Whether the budget does not reach for so many arms more."""
        each = sorted(self.costs)[len(self.costs) // 2] if self.costs else 0.0
        return self.clock() + arms * each > self.deadline

    def own(self) -> Own:
        """Raises `Unproven`, `KeyboardInterrupt`."""
        arms = [AS_IT_IS, replace(AS_IT_IS, name="again"), replace(AS_IT_IS, name="seed", seed=1)]
        self.say("the job as it is, three times")
        found = self._timed(arms)
        for each in found:
            if isinstance(each, Unproven):
                raise each
        first, again, other = (each for each in found if isinstance(each, Measured))
        return Own(first=first, again=(again,), other=(other,))

    def compare(
        self, base: Arm, others: Sequence[Arm], most: int,
        done: Callable[[Arm, Pairs], bool] = lambda arm, pairs: False, *, whatever_it_takes: bool = False,
    ) -> Rounds:  # fmt: skip
        """At most so many rounds; unless told otherwise, as far as the budget reaches."""
        return rounds(
            self._timed, base, others, most=most, size=self.size, machines=self.machines,
            spread=self._spread_timed if self.spread is not None else None,
            done=lambda arm, pairs: (not whatever_it_takes and self.late()) or done(arm, pairs),
            say=lambda turn, arms: self.say(f"round {turn + 1}: {', '.join(a.name or 'as it is' for a in arms)}"),
        )  # fmt: skip

    def _timed(self, arms: Sequence[Arm]) -> Sequence[Measured | Unproven]:
        began = self.clock()
        try:
            return self.run(arms)
        finally:
            self.costs.append((self.clock() - began) / len(arms))

    def _spread_timed(self, todo: Sequence[Sequence[Arm]]) -> Iterator[tuple[Sequence[Arm], Sequence[Result]]]:
        assert self.spread is not None
        began = self.clock()
        yield from self.spread(todo)
        used = (self.clock() - began) * min(self.machines, len(todo))
        self.costs.append(used / sum(len(arms) for arms in todo))
