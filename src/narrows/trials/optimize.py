"""`narrows optimize`: looks at the job, tries the remedies that could touch its largest rows, and keeps what is proven."""

import json
import math
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from narrows import __version__, remedies
from narrows.job import facts as facts_
from narrows.job import watch
from narrows.job.command import Command, resolve
from narrows.job.diagnose import Request, diagnose
from narrows.job.facts import Facts
from narrows.job.failure import Failure
from narrows.job.status import Status
from narrows.report.build import accounts_of, build, view_of
from narrows.report.model import Outcome, Trial
from narrows.spool.read import read
from narrows.trials import recipe as recipes
from narrows.trials import shield
from narrows.trials.arm import Arm
from narrows.trials.gain import Gain
from narrows.trials.recipe import Ingredient, Recipe
from narrows.trials.search import Bench, Found, Option, Verdict, arm, search
from narrows.trials.trial import last_line, remove, setting, shielded, trial

STEPS = 150
"""Steady steps of the look at the job before and after: enough for every window."""
WORTH_TRYING = 0.02
"""Share of the step."""
SETTINGS = 3
"""Most settings of one remedy that are tried."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    words: tuple[str, ...]
    out: Path
    recipe: Path
    budget: float
    """Seconds for the trials."""
    classes: frozenset[str]
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    allow_writes: bool = False
    steps: int = 0
    """Steady steps of a trial; 0: as many as three seconds take."""
    quiet: bool = False


def optimize(wish: Wish) -> tuple[Path, int]:
    """(the run's folder, with the report's facts in it; the exit code). Raises `Failure`."""
    for name in (*wish.only, *wish.skip):
        try:
            remedies.load(name)
        except KeyError:
            raise Failure(f"there is no remedy {name}; there are: {', '.join(remedies.names())}", 2) from None
    command = resolve(list(wish.words))
    status = Status(quiet=wish.quiet)
    status.show("narrows: looking at the job ...")
    folder = _look(wish, Arm(name=""))
    facts = facts_.read(folder)
    processes = read(folder / "spool")
    every = accounts_of(facts, processes, watch.read(folder / watch.WATCHED))
    how = setting(command, folder, every, shield=not wish.allow_writes, asked=wish.steps)
    if how is None or every.mine is None or not every.mine.kernels:
        status.clear()
        facts_.write(folder, msgspec.structs.replace(facts, trials=[]))
        return folder, 0
    options = _options(wish, view_of(facts, processes, every, "en"))
    bench = Bench(
        run=lambda a: trial(how, a),
        deadline=time.monotonic() + wish.budget,
        memory_bytes=facts.machine.memory_bytes if facts.machine else 0,
        say=lambda text: status.show(f"narrows: trying, {text}"),
    )
    found = search(options, bench) if options else Found(verdicts=(), kept=(), combined=None, parity=None)
    remove(folder / "compiled")
    status.clear()
    trials = [_trial(verdict, found) for verdict in found.verdicts]
    torch = every.process.last("torch").get("version", "") if every.process else ""
    outcome = _outcome(wish, facts, found, torch, status)
    facts_.write(folder, msgspec.structs.replace(facts, trials=trials, recipe=outcome))
    return folder, 128 + signal.SIGINT if found.interrupted else 0


def _look(wish: Wish, how: Arm) -> Path:
    """Diagnose the job behind the shield."""

    def wrap(command: Command, folder: Path) -> Command:
        (folder / "trial").mkdir()
        return command if wish.allow_writes else shielded(command, folder / "trial", [folder / "spool"], how)

    asked = Request(
        words=wish.words, steps=STEPS, seconds=0, out=wish.out, quiet=True, wrap=wrap,
        environment={"NARROWS_REMEDIES": json.dumps(how.remedies), **how.environment},
    )  # fmt: skip
    folder, code = diagnose(asked)
    said = last_line(folder / "output")
    remove(folder / "trial")
    (folder / "output").unlink(missing_ok=True)
    if code in (shield.NO_SHIELD, shield.ONLY_READ):
        raise Failure(
            f"this machine offers no way to keep a trial from writing into {os.getcwd()} (overlays or Landlock); "
            "--allow-writes runs the trials as they are"
        )
    if facts_.read(folder).ended == "interrupted":
        raise Failure("interrupted before the first trial", code)
    if code:
        raise Failure(f"the job itself failed with exit code {code}: {said}", code)
    return folder


def _options(wish: Wish, view: object) -> list[Option]:
    """What could help this job, the largest predicted saving first."""
    found: list[Option] = []
    for name in remedies.names():
        module = remedies.load(name)
        if module.CLASS not in wish.classes or (wish.only and name not in wish.only) or name in wish.skip:
            continue
        candidates = sorted(module.candidates(view), key=lambda c: -c.seconds)[:SETTINGS]
        for each in candidates:
            environment = module.environment(each.value) if hasattr(module, "environment") else {}
            found.append(
                Option(remedy=name, value=each.value, kind=module.CLASS, seconds=each.seconds, environment=environment)
            )
    step = view.step  # type: ignore[attr-defined]
    return sorted((o for o in found if o.seconds >= WORTH_TRYING * step), key=lambda o: -o.seconds)


def _trial(verdict: Verdict, found: Found) -> Trial:
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
        why=verdict.why if kept or not verdict.kept else "together",
        detail=verdict.detail,
        by_hand=module.by_hand(option.value),
    )


def _interval(seen: Gain | None) -> tuple[float, float] | None:
    return (seen.low, seen.high) if seen is not None and math.isfinite(seen.low) and seen.low > 0 else None


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _outcome(wish: Wish, facts: Facts, found: Found, torch: str, status: Status) -> Outcome:
    combined = found.combined
    path, step, ledger = None, None, None
    if found.kept and combined is not None:
        evidence = f"{combined.ratio:.2f} times as fast (95%: {combined.low:.2f} to {combined.high:.2f}, {combined.pairs} pairs)."
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
        if not found.interrupted:
            status.show("narrows: looking at the job with the recipe ...")
            try:
                after = build(_look(wish, arm(found.kept)), "en")
                step, ledger = (after.step.median_seconds if after.step else None), after.ledger
            except Failure:
                pass  # the recipe is proven; only its ledger is missing
            status.clear()
    return Outcome(
        remedies=[option.name for option in found.kept],
        speedup=combined.ratio if combined else None,
        ci95=_interval(combined),
        pairs=combined.pairs if combined else 0,
        parity=found.parity.word if found.parity else None,
        path=str(path) if path else None,
        step_seconds=step,
        ledger=ledger,
    )


def _ingredient(option: Option, verdict: Verdict) -> Ingredient:
    seen = verdict.gain
    said = f"alone: {seen.ratio:.2f} times as fast (95%: {seen.low:.2f} to {seen.high:.2f})" if seen else ""
    by_hand = remedies.load(option.remedy).by_hand(option.value)
    return Ingredient(remedy=option.remedy, value=option.value, evidence=said, by_hand=by_hand)


def _free(path: Path) -> Path:
    """The path, or one beside it that is not taken: a recipe that is there is never written over."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
