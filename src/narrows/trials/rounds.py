"""Rounds of trials: the job as it is and each arm, interleaved, so that a drift of the machine's speed hits all alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from narrows.trials.arm import Arm, Measured, Unproven

Pairs = list[tuple[Measured, Measured]]
"""(the base, the arm), of the same round."""


@dataclass(frozen=True, kw_only=True)
class Rounds:
    pairs: dict[str, Pairs]
    failed: dict[str, Unproven] = field(default_factory=dict)
    interrupted: bool = False


def rounds(
    run: Callable[[Arm], Measured],
    base: Arm,
    others: Sequence[Arm],
    *,
    most: int,
    done: Callable[[Arm, Pairs], bool] = lambda arm, pairs: False,
    say: Callable[[int, Arm], None] = lambda turn, arm: None,
) -> Rounds:
    """At most so many rounds, each second one backwards. An arm that is `done` or has failed is not run again; if the
    base fails, there is nothing to compare with. An interrupt ends it, and what there is is kept."""
    found = Rounds(pairs={arm.name: [] for arm in others})
    try:
        for turn in range(most):
            alive = [arm for arm in others if arm.name not in found.failed and not done(arm, found.pairs[arm.name])]
            if not alive:
                break
            arms = [base, *alive]
            measured: dict[str, Measured] = {}
            for arm in arms if turn % 2 == 0 else arms[::-1]:
                say(turn, arm)
                try:
                    measured[arm.name] = run(arm)
                except Unproven as why:
                    for each in others if arm is base else [arm]:
                        found.failed.setdefault(each.name, why)
                    if arm is base:
                        break
            for arm in alive:
                if base.name in measured and arm.name in measured:
                    found.pairs[arm.name].append((measured[base.name], measured[arm.name]))
    except KeyboardInterrupt:
        for arm in others:
            found.failed.setdefault(arm.name, Unproven("interrupted"))
        return Rounds(pairs=found.pairs, failed=found.failed, interrupted=True)
    return found
