"""Proof on demand: each row that can be left out is left out of short children, in pairs with the job as it is."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from narrows.job import facts as facts_
from narrows.job.command import Command, resolve
from narrows.job.facts import Counterfactual
from narrows.job.status import Status
from narrows.report.proofs import FEWEST
from narrows.trials.arm import AS_IT_IS, Arm, Unproven
from narrows.trials.counterfactual import Plan, plans
from narrows.trials.looked import Looked, looked
from narrows.trials.rounds import rounds
from narrows.trials.setting import COMPILED, Setting, remove, setting
from narrows.trials.trial import together


def prove(folder: Path, words: Sequence[str], *, quiet: bool) -> None:
    """Prove the rows of the run in `folder`, whose job is `words`, and write what was measured to its facts."""
    job = looked(folder)
    found = measure(job, resolve(list(words)), quiet=quiet)
    facts_.write(folder, msgspec.structs.replace(job.facts, counterfactuals=found))


def measure(job: Looked, command: Command, *, quiet: bool) -> list[Counterfactual]:
    """What was measured for each row; an interrupt ends it, and what there is is kept."""
    how, every = setting(command, job), job.accounts
    if how is None or every.process is None or every.mine is None:
        return []
    status = Status(quiet=quiet)
    try:
        return pairs(how, plans(every.process, every.mine), status)
    finally:
        status.clear()
        remove(job.folder / COMPILED)


def pairs(how: Setting, todo: Sequence[Plan], status: Status) -> list[Counterfactual]:
    """Six rounds of: as it is, without the first, without the second ..."""
    arms = {p.cause: Arm(name=p.cause, without=p.cause, files=p.files) for p in todo if p.left_out}

    def say(turn: int, arms: Sequence[Arm]) -> None:
        what = ", ".join(f"without {arm.name}" if arm.name else "as it is" for arm in arms)
        status.show(f"narrows: proving, round {turn + 1} of {FEWEST}: {what}")

    found = rounds(
        lambda some: together(how, some), AS_IT_IS, list(arms.values()), most=FEWEST, size=max(how.most, 4), say=say
    )
    failed: dict[str, Unproven] = dict(found.failed)
    failed.update((p.cause, Unproven("nothing")) for p in todo if not p.left_out)
    return [
        Counterfactual(
            cause=plan.cause,
            left_out=list(plan.left_out),
            pairs=[(before.seconds, after.seconds) for before, after in found.pairs.get(plan.cause, ())],
            failed=failed[plan.cause].word if plan.cause in failed else None,
            detail=failed[plan.cause].detail if plan.cause in failed else "",
        )
        for plan in todo
    ]
