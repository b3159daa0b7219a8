"""From what was found to the report's trials, the recipe's file, and the patch beside it."""

import math
from pathlib import Path

from narrows import __version__, remedies
from narrows.job.command import Command
from narrows.job.facts import Facts
from narrows.report.build import build
from narrows.report.format import size
from narrows.report.model import Outcome, Room, Trial
from narrows.report.write import put
from narrows.trials import recipe as recipes
from narrows.trials.gain import Gain
from narrows.trials.option import Option, Verdict
from narrows.trials.patch import patch
from narrows.trials.recipe import Ingredient, Recipe
from narrows.trials.script import files
from narrows.trials.search import Found
from narrows.trials.wish import Wish


def trial_of(verdict: Verdict, found: Found) -> Trial:
    option = verdict.option
    module = remedies.load(option.remedy)
    kept = verdict.kept and option in found.kept
    seen = verdict.gain
    return Trial(
        remedy=option.remedy,
        value=option.value,
        kind=module.CLASS,
        title=module.TEXT["en"][0],
        predicted_seconds=option.seconds,
        speedup=seen.ratio if seen else None,
        ci95=_interval(seen),
        pairs=seen.pairs if seen else 0,
        parity=verdict.parity.word if verdict.parity else None,
        difference=_finite(verdict.parity.difference) if verdict.parity else None,
        memory_ratio=verdict.memory,
        kept=kept,
        why=verdict.why,
        detail=verdict.detail,
        by_hand=module.by_hand(option.value),
    )


def _interval(seen: Gain | None) -> tuple[float, float] | None:
    return (seen.low, seen.high) if seen is not None and math.isfinite(seen.low) and seen.low > 0 else None


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def outcome(wish: Wish, command: Command, facts: Facts, found: Found, torch: str, after: Path | None) -> Outcome:
    """`after`: the folder of the look at the job with all that is kept, if there was one."""
    combined = found.combined
    path = changes = None
    if found.kept and combined is not None:
        evidence = f"{combined.ratio:.2f} times as fast (95%: {combined.low:.2f} to {combined.high:.2f}, {combined.pairs} pairs)."
        room = found.room
        if room is not None and room.after < room.before:
            evidence += f" It needs {size(room.after)} at most; the job as it was, {size(room.before)}."
        path = _free(wish.recipe)
        verdicts = {verdict.option.name: verdict for verdict in found.verdicts}
        recipes.write(path, Recipe(
            command=tuple(facts.command),
            remedies=tuple(_ingredient(option, verdicts[option.name]) for option in found.kept),
            evidence=evidence,
            machine=facts.machine.cpu if facts.machine else "",
            cores=facts.machine.cores if facts.machine else 0,
            torch=torch,
            narrows=__version__,
        ))  # fmt: skip
        made = patch(files(command.words), [(option.remedy, option.value) for option in found.kept])
        if made.text:
            changes = _free(path.with_suffix(".patch"))
            put(str(changes), made.text.encode())
    report = build(after, "en") if after is not None and found.kept else None
    return Outcome(
        remedies=[option.name for option in found.kept],
        speedup=combined.ratio if combined else None,
        ci95=_interval(combined),
        pairs=combined.pairs if combined else 0,
        parity=found.parity.word if found.parity else None,
        path=str(path) if path else None,
        patch=str(changes) if changes else None,
        step_seconds=report.step.median_seconds if report and report.step else None,
        ledger=report.ledger if report else None,
        room=_room(found),
    )


def _room(found: Found) -> Room | None:
    seen = found.room
    if seen is None:
        return None
    return Room(limit_bytes=seen.limit or None, before_bytes=seen.before, after_bytes=seen.after,
                least_bytes=seen.least, fits=seen.after <= seen.limit if seen.limit else None)  # fmt: skip


def _ingredient(option: Option, verdict: Verdict) -> Ingredient:
    seen = verdict.gain
    said = f"beside the others: {seen.ratio:.2f} times as fast (95%: {seen.low:.2f} to {seen.high:.2f})" if seen else ""
    by_hand = remedies.load(option.remedy).by_hand(option.value)
    return Ingredient(remedy=option.remedy, value=option.value, evidence=said, by_hand=by_hand)


def _free(path: Path) -> Path:
    """The path, or one beside it that is not taken: a recipe that is there is never written over."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
