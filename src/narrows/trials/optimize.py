"""`narrows optimize`: looks at the job, tries the remedies that could touch its largest rows, and keeps what is proven."""

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from narrows import remedies
from narrows.job import facts as facts_
from narrows.job.command import Command, resolve
from narrows.job.diagnose import Request, diagnose
from narrows.job.failure import Failure
from narrows.job.status import Status
from narrows.trials import shield
from narrows.trials.arm import AS_IT_IS, Arm, Unproven
from narrows.trials.bench import Bench
from narrows.trials.looked import looked
from narrows.trials.measure import last_line
from narrows.trials.option import Option, arm
from narrows.trials.options import further, options
from narrows.trials.outcome import outcome, trial_of
from narrows.trials.rounds import Result, Run
from narrows.trials.search import search
from narrows.trials.setting import COMPILED, Setting, remove, setting, shielded
from narrows.trials.trial import together
from narrows.trials.wish import Wish

ALONE = 4
"""Arms of a round that are run one after the other: with more, they are too far apart."""
STEPS = 150
"""Steady steps of the look at the job before and after: enough for every window."""


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
    job = looked(look_at(wish, AS_IT_IS))
    folder, view = job.folder, job.view
    how = setting(command, job, shield=not wish.allow_writes, asked=wish.steps)
    if how is None or view is None:
        status.clear()
        facts_.write(folder, msgspec.structs.replace(job.facts, trials=[]))
        return folder, 0
    bench = Bench(
        run=_runner(how),
        deadline=time.monotonic() + wish.budget,
        memory_bytes=job.memory_bytes,
        size=how.most if how.most > 1 else ALONE,
        say=lambda text: status.show(f"narrows: trying, {text}"),
    )
    seen = {_name(()): job}

    def look(kept: Sequence[Option]) -> Sequence[Option]:
        name = _name(kept)
        if name not in seen:
            status.show("narrows: looking at the job with what was kept ...")
            try:
                seen[name] = looked(look_at(wish, arm(kept), folder / COMPILED))
            except Failure as error:
                if error.code == 128 + signal.SIGINT:
                    raise KeyboardInterrupt from None
                raise Unproven("failed", str(error)) from None
        view = seen[name].view
        return options(wish, view) if view is not None else []

    found = search(look, bench, further)
    remove(folder / COMPILED)
    status.clear()
    trials = [trial_of(verdict, found) for verdict in found.verdicts]
    torch = view.process.last("torch").get("version", "")
    after = seen.get(_name(found.kept))
    result = outcome(wish, command, job.facts, found, torch, after.folder if after else None)
    facts_.write(folder, msgspec.structs.replace(job.facts, trials=trials, recipe=result))
    return folder, 128 + signal.SIGINT if found.interrupted else 0


def _name(kept: Sequence[Option]) -> tuple[str, ...]:
    return tuple(option.name for option in kept)


def _runner(how: Setting) -> Run:
    """A job that cannot run beside itself (a port, a lock) fails in the first round: then all run alone."""
    first = True

    def run(arms: Sequence[Arm]) -> Sequence[Result]:
        nonlocal how, first
        found = together(how, arms)
        if first and how.most > 1 and any(isinstance(each, Unproven) for each in found):
            how = replace(how, most=1)
            found = together(how, arms)
        first = False
        return found

    return run


def look_at(wish: Wish, how: Arm, compiled: Path | None = None) -> Path:
    """Diagnose the job behind the shield. `compiled`: what trials have compiled already."""
    kept = [compiled] if compiled is not None and compiled.exists() else []

    def wrap(command: Command, folder: Path) -> Command:
        (folder / "trial").mkdir()
        return command if wish.allow_writes else shielded(command, folder / "trial", [folder / "spool", *kept], how)

    asked = Request(
        words=wish.words, steps=STEPS, seconds=0, out=wish.out, quiet=True, wrap=wrap,
        environment={
            "NARROWS_REMEDIES": json.dumps(how.remedies), **how.environment,
            **({"TORCHINDUCTOR_CACHE_DIR": str(compiled)} if kept else {}),
        },
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
