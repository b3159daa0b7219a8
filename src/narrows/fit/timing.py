"""What a remedy, or another size, costs in time: the job with it beside the job as it is, in fresh processes that take turns."""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from narrows.fit.sizes import Changed
from narrows.job.command import Command
from narrows.ledger.steps import Steps, steps
from narrows.machine import hardware
from narrows.spool.record import Process
from narrows.trials.arm import AS_IT_IS, Arm, Measured
from narrows.trials.gain import FEWEST
from narrows.trials.rounds import Pairs, groups, rounds
from narrows.trials.setting import BESIDE, COMPILED, COMPILING, MEASURED, MEMORY, SLOWER, TURN, Setting, remove
from narrows.trials.trial import together
from narrows.trials.turns import Pace

WARM, FEWEST_STEPS, STEPS_OF_TURN = 3, 8, 2
"""Steps that are not measured, that are, and those of a turn."""
BUDGET = 120.0
"""Seconds after which no further round at other sizes begins: of a job that begins slowly there may be too few for an
interval."""


def times(
    command: Command, folder: Path, plain: Process | None, peak: int, arms: Sequence[Arm], *, shield: bool
) -> dict[str, float]:
    """By name of the arm: seconds of a step with it, over those without. What failed, or was over too soon, is left
    out. `plain`: the job left
    alone; `peak`: bytes that it took. Raises `KeyboardInterrupt`; no process is left either way."""
    how = _setting(command, folder, plain, peak, shield=shield) if plain is not None and arms else None
    if how is None:
        return {}
    found: dict[str, float] = {}
    try:
        for group in groups(arms, max(1, how.most - 1)):
            base, *others = together(how, [AS_IT_IS, *group])
            for arm, after in zip(group, others, strict=True):
                if isinstance(base, Measured) and isinstance(after, Measured) and not (base.whole or after.whole):
                    found[arm.name] = after.seconds / base.seconds
    finally:
        remove(folder / COMPILED)
    return found


def at_sizes(
    command: Command, folder: Path, plain: Process, peak: int, now: int, others: Mapping[int, Changed], *, shield: bool
) -> list[dict[int, Measured]]:
    """Of each round, by size, what the job took at the present size (`now`) and at others, beside each other. Sizes at
    which it failed or was over too soon are left out of all rounds. `peak`: bytes that it takes at the largest of them.
    Raises `KeyboardInterrupt`; no process is left either way."""
    how = _setting(command, folder, plain, peak, shield=shield) if others else None
    if how is None:
        return []
    arms = {
        size: Arm(name=str(size), command=job.command, told=job.told, files=job.files) for size, job in others.items()
    }
    until = time.monotonic() + BUDGET
    # What cannot run beside itself runs one after the other, in one row.
    beside = how.most if how.most > 1 else 1 + len(arms)
    try:
        found = rounds(
            lambda some: together(how, some), AS_IT_IS, list(arms.values()), most=FEWEST, size=beside,
            done=lambda arm, pairs: time.monotonic() > until or _whole(pairs),
        )  # fmt: skip
    finally:
        remove(folder / COMPILED)
    if found.interrupted:
        raise KeyboardInterrupt
    sound = {size: found.pairs[arm.name] for size, arm in arms.items() if arm.name not in found.failed}
    return in_rounds(now, sound)


def in_rounds(now: int, pairs: Mapping[int, Pairs]) -> list[dict[int, Measured]]:
    """`pairs`: (at the present size, at that one), round by round. Where not all sizes could run beside each other, the
    present one ran beside each group of them: seconds are those that there would be beside the first of these."""
    sound = {size: each for size, each in pairs.items() if each and not _whole(each)}
    count = min(map(len, sound.values()), default=0)
    found = []
    for turn in range(count):
        first = next(iter(sound.values()))[turn][0]
        ran = {size: each[turn] for size, each in sound.items()}
        found.append({
            now: first,
            **{n: replace(at, seconds=at.seconds / own.seconds * first.seconds) for n, (own, at) in ran.items()},
        })  # fmt: skip
    return found


def _whole(pairs: Pairs) -> bool:
    return any(each.whole for pair in pairs for each in pair)


def _setting(command: Command, folder: Path, plain: Process, peak: int, *, shield: bool) -> Setting | None:
    seen: Steps = steps(plain.boundaries)
    late = [step.seconds for step in seen.steps[1:]]
    if not late:
        return None
    step, beginning = statistics.median(late), (seen.steps[0].end_ns - plain.start_ns) / 1e9
    pace = Pace(
        warmup=round(WARM * seen.per_step),
        turn=TURN,
        least=round(STEPS_OF_TURN * seen.per_step),
        seconds=MEASURED,
        boundaries=round(FEWEST_STEPS * seen.per_step),
        longest=COMPILING + SLOWER * (beginning + 4 * FEWEST_STEPS * step),
        at_once=max(1, min(4, os.cpu_count() or 1)),
    )
    room = int(MEMORY * hardware.memory_bytes() / peak) if peak else 1
    return Setting(
        command=command, folder=folder, rank=plain.rank, pace=pace, steps=FEWEST_STEPS,
        most=1 if plain.cuda or plain.ranks > 1 else min(BESIDE, room), shield=shield,
    )  # fmt: skip
