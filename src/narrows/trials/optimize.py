"""`narrows optimize`: looks at the job, tries the remedies that could touch its largest rows, and keeps what is proven."""

import json
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from narrows import remedies
from narrows.job import facts as facts_
from narrows.job.command import Command, resolve
from narrows.job.failure import Failure
from narrows.job.status import Status
from narrows.trials.arm import AS_IT_IS, Arm, Unproven
from narrows.trials.bench import Bench
from narrows.trials.cluster import Cluster
from narrows.trials.join import joined
from narrows.trials.look import failed, shielded_run
from narrows.trials.looked import looked
from narrows.trials.option import Option, arm
from narrows.trials.options import further, options, room
from narrows.trials.outcome import outcome, trial_of
from narrows.trials.room import make_room
from narrows.trials.rounds import Lost, Result
from narrows.trials.search import Found, Look, search
from narrows.trials.setting import COMPILED, Setting, remove, setting
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
    command, status = resolve(list(wish.words)), Status(quiet=wish.quiet)
    if not wish.ray:
        return _optimize(wish, command, status, None)
    status.show("narrows: joining the cluster ...")
    with joined(wish.ray, command) as machines:
        return _optimize(wish, command, status, machines)


def _optimize(wish: Wish, command: Command, status: Status, machines: Cluster | None) -> tuple[Path, int]:
    status.show("narrows: looking at the job ...")
    job = looked(look_at(wish, AS_IT_IS))
    folder, view = job.folder, job.view
    how = setting(command, job, shield=not wish.allow_writes, asked=wish.steps)
    if how is None or view is None:
        status.clear()
        facts_.write(folder, msgspec.structs.replace(job.facts, trials=[]))
        return folder, 0
    run, at = Runner(how, machines), f" on {len(machines.found)} machines" if machines is not None else ""
    bench = Bench(
        run=run,
        deadline=time.monotonic() + wish.budget,
        memory_bytes=job.memory_bytes,
        size=how.most if how.most > 1 else ALONE,
        spread=run.spread if machines is not None else None,
        machines=len(machines.found) if machines is not None else 1,
        say=lambda text: status.show(f"narrows: trying{at}, {text}"),
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
    if "memory" in wish.classes and not found.interrupted:
        found = _with_room(found, room(wish, view), bench, wish.memory, look)
    remove(folder / COMPILED)
    status.clear()
    trials = [trial_of(verdict, found) for verdict in found.verdicts]
    # Before the recipe: its place may have become one where nothing can be written.
    facts_.write(folder, msgspec.structs.replace(job.facts, trials=trials))
    told = view.process.last(view.framework) or view.process.last("torch")
    version = str(told.get("version", ""))
    after = seen.get(_name(found.kept))
    result = outcome(wish, command, job.facts, found, version, after.folder if after else None)
    facts_.write(folder, msgspec.structs.replace(job.facts, trials=trials, recipe=result))
    return folder, 128 + signal.SIGINT if found.interrupted else 0


def _with_room(found: Found, options: Sequence[Option], bench: Bench, limit: int, look: Look) -> Found:
    try:
        made = make_room(found, options, bench, limit)
    except Unproven:
        return found
    except KeyboardInterrupt:
        return replace(found, interrupted=True)
    if made.kept != found.kept and not made.interrupted:
        try:
            look(made.kept)  # for the ledger beside the original's; what was proven stands without it
        except Unproven:
            pass
        except KeyboardInterrupt:
            return replace(made, interrupted=True)
    return made


def _name(kept: Sequence[Option]) -> tuple[str, ...]:
    return tuple(option.name for option in kept)


class Runner:
    """Runs arms as the job allows. One that cannot run beside itself (a port, a lock) fails in the first round: then
    all run alone."""

    def __init__(self, how: Setting, machines: Cluster | None = None) -> None:
        self.how, self.machines, self.first = how, machines, True

    def __call__(self, arms: Sequence[Arm]) -> Sequence[Result]:
        found = self._group(arms)
        refused = any(isinstance(each, Unproven) and not isinstance(each, Lost) for each in found)
        if self.first and self.how.most > 1 and refused:
            self.how = replace(self.how, most=1)
            found = self._group(arms)
        self.first = False
        return found

    def _group(self, arms: Sequence[Arm]) -> Sequence[Result]:
        if self.machines is None:
            return together(self.how, arms)
        return next(found for _, found in self.spread([arms]))

    def spread(self, todo: Sequence[Sequence[Arm]]) -> Iterator[tuple[Sequence[Arm], Sequence[Result]]]:
        assert self.machines is not None
        return self.machines.spread(self.how, todo)


def look_at(wish: Wish, how: Arm, compiled: Path | None = None) -> Path:
    """Diagnose the job behind the shield. `compiled`: what trials have compiled already."""
    kept = [compiled] if compiled is not None and compiled.exists() else []
    told = {"NARROWS_REMEDIES": json.dumps(how.remedies), **how.environment}
    if kept:
        told["TORCHINDUCTOR_CACHE_DIR"] = str(compiled)
    folder, code, said = shielded_run(
        wish.words, wish.out, how, told, keep=kept, allow_writes=wish.allow_writes, steps=STEPS,
        interrupted="interrupted before the first trial",
    )  # fmt: skip
    if code:
        raise failed(code, said)
    return folder
