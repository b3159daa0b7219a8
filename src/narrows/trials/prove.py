"""Proof on demand: each row that can be left out is left out of short children, in pairs with the job as it is."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from narrows.job import facts as facts_
from narrows.job import watch
from narrows.job.command import Command, resolve
from narrows.job.facts import Counterfactual, Facts
from narrows.job.status import Status
from narrows.report.build import accounts_of
from narrows.report.proofs import FEWEST
from narrows.spool.read import read
from narrows.trials.counterfactual import Plan, plans
from narrows.trials.trial import Setting, Unproven, trial

MEASURED, FEWEST_STEPS, MOST_STEPS = 3.0, 24, 2000
"""Seconds of steady steps in a trial, and the bounds on their number."""
SLOWER = 4.0
"""A trial may take so many times as long as its steps should."""


def prove(folder: Path, words: Sequence[str], *, quiet: bool) -> None:
    """Prove the rows of the run in `folder`, whose job is `words`, and write what was measured to its facts."""
    facts = facts_.read(folder)
    found = measure(folder, facts, resolve(list(words)), quiet=quiet)
    facts_.write(folder, msgspec.structs.replace(facts, counterfactuals=found))


def measure(folder: Path, facts: Facts, command: Command, *, quiet: bool) -> list[Counterfactual]:
    """What was measured for each row; an interrupt ends it, and what there is is kept."""
    processes = read(folder / "spool")
    every = accounts_of(facts, processes, watch.read(folder / watch.WATCHED))
    if every.process is None or every.mine is None or every.mine.steady is None:
        return []
    typical = every.mine.steady
    count = max(FEWEST_STEPS, min(MOST_STEPS, math.ceil(MEASURED / typical.median)), 6 * typical.block)
    started = (every.mine.steps.steps[typical.first].end_ns - every.process.start_ns) / 1e9
    status = Status(quiet=quiet)
    setting = Setting(
        command=command,
        folder=folder,
        rank=every.process.rank,
        steps=count,
        longest=30 + SLOWER * (started + (count + 40) * typical.median),
    )
    try:
        return pairs(setting, plans(every.process, every.mine), status)
    finally:
        status.clear()


def pairs(setting: Setting, todo: Sequence[Plan], status: Status) -> list[Counterfactual]:
    """Rounds of: as it is, without the first, without the second ...; each second round backwards."""
    seconds: dict[str, list[tuple[float, float]]] = {plan.cause: [] for plan in todo}
    failed = {plan.cause: Unproven("nothing") for plan in todo if not plan.left_out}
    try:
        for turn in range(FEWEST):
            arms: list[Plan | None] = [None, *[plan for plan in todo if plan.cause not in failed]]
            if len(arms) == 1:
                break
            found: dict[str, float] = {}
            for arm in arms if turn % 2 == 0 else arms[::-1]:
                what = f"without {arm.cause}" if arm else "as it is"
                status.show(f"narrows: proving, round {turn + 1} of {FEWEST}: {what}")
                try:
                    found[arm.cause if arm else ""] = trial(setting, arm)
                except Unproven as why:
                    for plan in [arm] if arm else todo:
                        failed.setdefault(plan.cause, why)
                    if arm is None:
                        break
            for cause in seconds:
                if cause in found and "" in found:
                    seconds[cause].append((found[""], found[cause]))
    except KeyboardInterrupt:
        for plan in todo:
            failed.setdefault(plan.cause, Unproven("interrupted"))
    return [
        Counterfactual(
            cause=plan.cause,
            left_out=list(plan.left_out),
            pairs=seconds[plan.cause],
            failed=failed[plan.cause].word if plan.cause in failed else None,
            detail=failed[plan.cause].detail if plan.cause in failed else "",
        )
        for plan in todo
    ]
