"""Which remedies make the job faster: each alone, then together, then together once more against the original.

Every number is from interleaved runs of fresh processes. Nothing here knows what a remedy does.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from narrows.trials.arm import AS_IT_IS, Arm, Measured, Unproven, Value
from narrows.trials.gain import FEWEST, MOST, Gain, decided, gain
from narrows.trials.parity import Parity, parity
from narrows.trials.rounds import Pairs, Rounds, rounds

MOST_MEMORY = 0.9
"""Share of the machine's memory that a job with a remedy may take."""
MOST_ARMS = 4
"""Tried beside each other: with more, the runs of a round are too far apart."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One remedy with one setting."""

    remedy: str
    value: Value
    kind: str
    """Its class."""
    seconds: float
    """Predicted saving of a step."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.remedy}={self.value}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of an option."""

    option: Option
    gain: Gain | None
    parity: Parity | None
    memory: float | None
    """Peak memory / the original's."""
    kept: bool
    why: str
    """A word for the report: `kept`, `no gain`, `parity`, `memory`, `not applied`, `beside`, `budget`, or that of a
    failure."""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    verdicts: tuple[Verdict, ...]
    kept: tuple[Option, ...]
    combined: Gain | None
    """The kept ones together against the original, measured afresh."""
    parity: Parity | None
    interrupted: bool = False


@dataclass(frozen=True, kw_only=True)
class Bench:
    """How to run an arm, and when to stop."""

    run: Callable[[Arm], Measured]
    deadline: float
    """On `clock`, in seconds."""
    memory_bytes: int
    say: Callable[[str], None] = lambda text: None
    clock: Callable[[], float] = time.monotonic

    def late(self) -> bool:
        return self.clock() > self.deadline

    def compare(self, base: Arm, others: Sequence[Arm], most: int = MOST) -> Rounds:
        def say(turn: int, arm: Arm) -> None:
            self.say(f"round {turn + 1}: {arm.name or 'as it is'}")

        def done(arm: Arm, pairs: Pairs) -> bool:
            return self.late() or decided(pairs, per_sample=arm.per_sample)

        return rounds(self.run, base, others, most=most, done=done, say=say)


def arm(options: Sequence[Option]) -> Arm:
    """The job with these remedies, in this order."""
    environment: dict[str, str] = {}
    for option in options:
        environment.update(option.environment)
    return Arm(
        name=" + ".join(option.name for option in options),
        remedies=tuple((option.remedy, option.value) for option in options),
        environment=environment,
        per_sample=any(option.kind == "training" for option in options),
    )


def search(options: Sequence[Option], bench: Bench) -> Found:
    """Greedy by measured gain. `options` come with the largest predicted saving first."""
    verdicts: dict[str, Verdict] = {}
    try:
        again = [bench.run(AS_IT_IS)]
        other = [bench.run(replace(AS_IT_IS, seed=1))]
    except (Unproven, KeyboardInterrupt) as error:
        why = error if isinstance(error, Unproven) else Unproven("interrupted")
        failed = tuple(_failed(option, why) for option in options)
        return Found(verdicts=failed, kept=(), combined=None, parity=None, interrupted=why is not error)
    interrupted = False
    winners: list[tuple[Option, Gain]] = []
    for start in range(0, len(options), MOST_ARMS):
        group = options[start : start + MOST_ARMS]
        found = bench.compare(AS_IT_IS, [arm([option]) for option in group])
        for option in group:
            verdict = judge(option, found, again, other, bench.memory_bytes)
            verdicts[option.name] = verdict
            if verdict.kept and verdict.gain is not None:
                winners.append((option, verdict.gain))
        interrupted = interrupted or found.interrupted
        if interrupted:
            break
    kept, combined, same, stopped = _together(
        _best_settings(winners, verdicts), bench, verdicts, again, other, interrupted
    )
    for option in options:
        verdicts.setdefault(
            option.name, Verdict(option=option, gain=None, parity=None, memory=None, kept=False, why="budget")
        )
    final = tuple(verdicts[option.name] for option in options)
    return Found(verdicts=final, kept=tuple(kept), combined=combined, parity=same, interrupted=interrupted or stopped)


def judge(
    option: Option, found: Rounds, again: Sequence[Measured], other: Sequence[Measured], memory_bytes: int
) -> Verdict:
    """What the rounds say of an option."""
    tried = arm([option])
    if tried.name in found.failed:
        return _failed(option, found.failed[tried.name])
    pairs = found.pairs[tried.name]
    if not pairs:
        return Verdict(option=option, gain=None, parity=None, memory=None, kept=False, why="budget")
    before, after = pairs[0]
    seen = gain(pairs, per_sample=tried.per_sample)
    same = parity(option.kind, before, after, [*again, *(b for b, _ in pairs[1:])], other)
    memory = after.peak_bytes / before.peak_bytes if before.peak_bytes else None
    assert seen is not None
    verdict = Verdict(option=option, gain=seen, parity=same, memory=memory, kept=False, why="no gain")
    # Of several models one may have been left as it was: then the others speak for the remedy.
    if option.remedy in after.not_applied and option.remedy not in after.applied:
        return replace(verdict, why="not applied", detail=after.not_applied[option.remedy])
    if not option.environment and option.remedy not in after.applied:
        return replace(verdict, why="not applied")
    if after.peak_bytes > MOST_MEMORY * memory_bytes:
        return replace(verdict, why="memory")
    if not same.kept:
        return replace(verdict, why="parity", detail=same.word)
    if not seen.proven:
        return replace(
            verdict,
            why="budget" if len(pairs) < FEWEST and not decided(pairs, per_sample=tried.per_sample) else "no gain",
        )
    return replace(verdict, kept=True, why="kept")


def _failed(option: Option, why: Unproven) -> Verdict:
    return Verdict(option=option, gain=None, parity=None, memory=None, kept=False, why=why.word, detail=why.detail)


def _best_settings(winners: Sequence[tuple[Option, Gain]], verdicts: dict[str, Verdict]) -> list[Option]:
    """The fastest setting of each remedy, the fastest remedy first."""
    best: dict[str, tuple[Option, Gain]] = {}
    for option, seen in sorted(winners, key=lambda w: -w[1].ratio):
        if option.remedy in best:
            verdicts[option.name] = replace(verdicts[option.name], kept=False, why="beside")
        else:
            best[option.remedy] = (option, seen)
    return [option for option, _ in best.values()]


def _together(
    winners: Sequence[Option], bench: Bench, verdicts: dict[str, Verdict], again: Sequence[Measured],
    other: Sequence[Measured], interrupted: bool,
) -> tuple[list[Option], Gain | None, Parity | None, bool]:  # fmt: skip
    """Add one after the other as long as each adds something; then the whole once more against the original. After an
    interrupt nothing more is run: the best was measured against the original, and it is what there is."""
    kept = list(winners[:1])
    for option in winners[1:]:
        if bench.late() or interrupted:
            verdicts[option.name] = replace(verdicts[option.name], kept=False, why="budget")
            continue
        base, more = arm(kept), arm([*kept, option])
        found = bench.compare(base, [more])
        pairs: Pairs = found.pairs[more.name]
        added = gain(pairs, per_sample=more.per_sample)
        interrupted = interrupted or found.interrupted
        if added is not None and added.proven:
            kept.append(option)
        else:
            verdicts[option.name] = replace(verdicts[option.name], kept=False, why="beside")
    if not kept:
        return [], None, None, interrupted
    if interrupted:
        for option in kept[1:]:
            verdicts[option.name] = replace(verdicts[option.name], kept=False, why="interrupted")
        first = verdicts[kept[0].name]
        return kept[:1], first.gain, first.parity, True
    whole = arm(kept)
    # The budget does not cut this one: a recipe that was not measured as a whole is not written.
    found = rounds(
        bench.run,
        AS_IT_IS,
        [whole],
        most=FEWEST,
        say=lambda turn, a: bench.say(f"round {turn + 1}: {a.name or 'as it is'}"),
    )
    pairs = found.pairs[whole.name]
    combined = gain(pairs, per_sample=whole.per_sample)
    if combined is None or not combined.proven:
        return [], combined, None, interrupted or found.interrupted
    kinds = {option.kind for option in kept}
    kind = next(k for k in ("training", "numerics", "memory", "exact") if k in kinds)
    same = parity(kind, *pairs[0], [*again, *(b for b, _ in pairs[1:])], other)
    return (kept if same.kept else []), combined, same, interrupted or found.interrupted
