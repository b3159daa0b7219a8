"""Rounds of trials: in each, a base and some arms, all of them fresh."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from narrows.trials.arm import Arm, Measured, Unproven

Pairs = list[tuple[Measured, Measured]]
"""(the base, the arm), of the same round."""
Result = Measured | Unproven
Run = Callable[[Sequence[Arm]], Sequence[Result]]
"""Runs arms beside each other, or in this order; what each measured, or why it says nothing."""
Groups = Callable[[Sequence[Sequence[Arm]]], Iterable[tuple[Sequence[Arm], Sequence[Result]]]]
"""Runs groups of arms on machines of their own; a group and its results, in the order in which they come."""
ANY = 1 << 30


class Lost(Unproven):
    """The machine went away with the group that it ran: that says nothing of the base, which other groups have too."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("failed", detail)

    def __reduce__(self) -> tuple[type["Lost"], tuple[str]]:
        return Lost, (self.detail,)


@dataclass(frozen=True, kw_only=True)
class Rounds:
    pairs: dict[str, Pairs]
    failed: dict[str, Unproven] = field(default_factory=dict)
    interrupted: bool = False


def rounds(
    run: Run,
    base: Arm,
    others: Sequence[Arm],
    *,
    most: int,
    size: int = ANY,
    spread: Groups | None = None,
    machines: int = 1,
    done: Callable[[Arm, Pairs], bool] = lambda arm, pairs: False,
    say: Callable[[int, Sequence[Arm]], None] = lambda turn, arms: None,
) -> Rounds:
    """At most so many rounds, each second one backwards. An arm that is `done` or has failed is not run again; if the
    base fails, there is nothing to compare with. `size`: arms that are run at once, the base, which is in each such
    group, included. `spread`: runs the groups of a round at once, on so many `machines`; without it, one is run after
    the other. An interrupt ends it, and what there is is kept."""
    found = Rounds(pairs={arm.name: [] for arm in others})
    try:
        for turn in range(most):
            alive = [arm for arm in others if arm.name not in found.failed and not done(arm, found.pairs[arm.name])]
            if not alive:
                break
            most_beside = max(1, min(size - 1, -(-len(alive) // machines)))  # an idle machine helps nobody
            todo = [[base, *group] if turn % 2 == 0 else [*group[::-1], base] for group in groups(alive, most_beside)]
            if spread is not None:
                say(turn, [base, *alive])
            for arms, results in spread(todo) if spread is not None else _in_turn(run, todo, partial(say, turn)):
                _note(found, base, dict(zip((arm.name for arm in arms), results, strict=True)))
                if base.name in found.failed:
                    for arm in others:
                        found.failed.setdefault(arm.name, found.failed[base.name])
                    return found
    except KeyboardInterrupt:
        for arm in others:
            found.failed.setdefault(arm.name, Unproven("interrupted"))
        return Rounds(pairs=found.pairs, failed=found.failed, interrupted=True)
    return found


def _in_turn(
    run: Run, todo: Sequence[Sequence[Arm]], say: Callable[[Sequence[Arm]], None]
) -> Iterator[tuple[Sequence[Arm], Sequence[Result]]]:
    for arms in todo:
        say(arms)
        yield arms, run(arms)


def _note(found: Rounds, base: Arm, results: dict[str, Result]) -> None:
    before = results[base.name]
    for name, after in results.items():
        if isinstance(after, Lost) and name == base.name:
            continue
        if isinstance(after, Unproven):
            found.failed.setdefault(name, after)
        elif name != base.name and not isinstance(before, Unproven):
            found.pairs[name].append((before, after))


def groups(arms: Sequence[Arm], most: int) -> list[Sequence[Arm]]:
    """Of nearly the same size, at most that."""
    size = -(-len(arms) // -(-len(arms) // most))
    return [arms[i : i + size] for i in range(0, len(arms), size)]
