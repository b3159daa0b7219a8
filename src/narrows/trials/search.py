"""Which remedies make the job faster together.

The job is looked at, what could help it is tried once, and the best is kept; then the rest is tried beside that, as
long as something still helps; then the job is looked at again, since its bottleneck has moved. What was gathered so
is proven as a whole (`proof.py`). Nothing here knows what a remedy does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from narrows.trials.arm import Arm, Unproven
from narrows.trials.bench import Bench, Own
from narrows.trials.gain import FEWEST, Gain, gain
from narrows.trials.judge import WORTH, judge
from narrows.trials.option import Option, Verdict, arm, failed
from narrows.trials.parity import Parity
from narrows.trials.proof import Proven, prove
from narrows.trials.rounds import Pairs

EXPECTED = 0.15
"""Share of the step. What should save more than this is not given up for one bad round: the machine is shared."""
LOOKS = 3
"""Times that the job is looked at."""
AGAIN, DOUBTED = 3, 0.95
"""Where nothing helped, what was not slower than this has so many rounds more, as long as it is not slower than that in the
first or no faster at all in the first two: where processes of the same job differ by a tenth, one round hides a gain of a
tenth, and "nothing helps" is a claim, too."""

Look = Callable[[Sequence[Option]], Sequence[Option]]
"""What could help the job with these remedies, the largest predicted saving first. Raises `Unproven`."""
Further = Callable[[Option], Sequence[Option]]
"""Other settings that lie beyond one that helped."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """Resident memory (of a device, where the job has one), in bytes."""

    limit: int
    """0: none was given."""
    before: int
    """The original's peak."""
    after: int
    """The peak with what is kept."""
    least: int | None = None
    """The lowest that was reached, where even that does not fit."""


@dataclass(frozen=True, kw_only=True)
class Found:
    verdicts: tuple[Verdict, ...]
    kept: tuple[Option, ...]
    combined: Gain | None
    """The kept ones together against the original, in fresh pairs."""
    parity: Parity | None
    interrupted: bool = False
    own: Own | None = None
    """The original's own variation; None if nothing was tried."""
    room: Room | None = None
    """What became of the memory, where that was asked for."""


@dataclass
class _State:
    verdicts: dict[str, Verdict]
    kept: list[Option]
    proven: Proven
    interrupted: bool = False
    own: Own | None = None


def search(look: Look, bench: Bench, further: Further = lambda option: ()) -> Found:
    """Never raises; an interrupt ends it, and what was proven before it is kept."""
    state = _State(verdicts={}, kept=[], proven=Proven())
    options = look([])
    if not options:
        return _found(state)
    try:
        own = state.own = bench.own()
    except (Unproven, KeyboardInterrupt) as error:
        why = error if isinstance(error, Unproven) else Unproven("interrupted")
        state.interrupted = why is not error
        state.verdicts.update((option.name, failed(option, why)) for option in options)
        return _found(state)
    try:
        for _ in range(LOOKS):
            _grow(state, options, bench, own, further)
            if not state.kept and not state.interrupted and not bench.late():
                _grow(state, _doubtful(state), bench, own, further, again=True)
            if state.interrupted or state.kept == list(state.proven.kept):
                break
            _prove(state, bench, own)
            if state.interrupted or not state.kept or bench.late():
                break
            options = [o for o in look(state.kept) if _fresh(o, state)]
    except Unproven:
        pass  # the look: what is proven does not depend on it
    except KeyboardInterrupt:
        state.interrupted = True
    return _found(state)


def _prove(state: _State, bench: Bench, own: Own) -> None:
    proven = prove(state.kept, bench, own)
    state.interrupted = proven.interrupted
    if not proven.kept and state.proven.kept:
        proven = state.proven  # what came to it did not stand the proof
    for option in state.kept:
        verdict, name = state.verdicts[option.name], option.name
        state.verdicts[name] = replace(verdict, gain=proven.gains.get(name, verdict.gain))
        if option not in proven.kept:
            state.verdicts[name] = replace(state.verdicts[name], kept=False, why=proven.why.get(name, "no gain"))
    state.kept, state.proven = list(proven.kept), proven


def _found(state: _State) -> Found:
    proven = state.proven
    verdicts = [
        replace(v, kept=False, why="interrupted" if state.interrupted else "budget")
        if v.kept and v.option not in proven.kept else v
        for v in state.verdicts.values()
    ]  # fmt: skip
    return Found(
        verdicts=tuple(verdicts), kept=proven.kept, combined=proven.combined, parity=proven.parity,
        interrupted=state.interrupted, own=state.own,
    )  # fmt: skip


def _fresh(option: Option, state: _State) -> bool:
    """It was not tried, nor is its remedy in."""
    return option.name not in state.verdicts and all(option.remedy != kept.remedy for kept in state.kept)


def _doubtful(state: _State) -> list[Option]:
    """Turned down for what one round or two said."""
    return [
        v.option
        for v in state.verdicts.values()
        if v.why == "no gain" and v.gain is not None and v.gain.pairs < AGAIN and v.gain.ratio > DOUBTED
    ]


def _proof_arms(parts: int) -> int:
    """Of that many remedies: the original, the whole, and the whole without each."""
    return FEWEST * (parts + 2 if parts > 1 else 2)


def _grow(
    state: _State, options: Sequence[Option], bench: Bench, own: Own, further: Further, *, again: bool = False
) -> None:
    """Try each beside what is kept, keep the best, and again with those that help, until none does. `again`: the first time
    is for what was turned down before."""
    todo = list(options)
    while todo:
        if bench.late(len(todo) + 1 + _proof_arms(len(state.kept) + 1) if state.kept else 0):
            for option in todo:
                state.verdicts.setdefault(option.name, Verdict(option=option, why="budget"))
            return
        tried = _try(state, todo, bench, own, again=again)
        again = False
        better = sorted((v for v in tried if v.kept and v.gain is not None), key=lambda v: -_ratio(v))
        for verdict in tried:
            known = state.verdicts.get(verdict.option.name)
            # One that helped alone and does not any more is done for by what was kept meanwhile.
            late = known is not None and known.kept and verdict.why == "no gain"
            state.verdicts[verdict.option.name] = replace(verdict, why="beside") if late else verdict
        if not better or state.interrupted:
            return
        best = _bracket(state, better[0], bench, own, further)
        state.kept.append(best.option)
        todo = []
        for verdict in better:
            if verdict.option.remedy != best.option.remedy:
                todo.append(verdict.option)
            elif verdict.option != best.option:
                state.verdicts[verdict.option.name] = replace(verdict, kept=False, why="beside")


def _try(state: _State, options: Sequence[Option], bench: Bench, own: Own, *, again: bool = False) -> list[Verdict]:
    """One round of each beside what is kept; a second one for what should help and did not. `again`: all that it takes to
    doubt what one round said."""
    arms = {option.name: arm([*state.kept, option]) for option in options}
    large = {arms[o.name].name for o in options if o.seconds > EXPECTED * own.first.seconds}

    def done(tried: Arm, pairs: Pairs) -> bool:
        seen = gain(pairs, per_sample=tried.per_sample)
        if seen is None:
            return False
        if again:
            return seen.ratio <= (DOUBTED if len(pairs) == 1 else 1.0)
        return tried.name not in large or seen.ratio >= WORTH

    found = bench.compare(arm(state.kept), list(arms.values()), most=AGAIN if again else 2, done=done)
    state.interrupted = state.interrupted or found.interrupted
    return [judge(option, state.kept, found, own, bench.memory_bytes) for option in options]


def _bracket(state: _State, best: Verdict, bench: Bench, own: Own, further: Further) -> Verdict:
    """Of a number: on in the direction that helps, for as long as it does."""
    while True:
        options = [o for o in further(best.option) if o.name not in state.verdicts]
        if not options or bench.late():
            return best
        tried = _try(state, [best.option, *options], bench, own)
        again, *others = tried
        state.verdicts.update((v.option.name, v) for v in tried)
        better = max((v for v in others if v.kept), key=_ratio, default=None)
        if better is None or _ratio(better) < WORTH * _ratio(again):
            for verdict in others:
                if verdict.kept:
                    state.verdicts[verdict.option.name] = replace(verdict, kept=False, why="beside")
            return best
        state.verdicts[best.option.name] = replace(again, kept=False, why="beside")
        best = better


def _ratio(verdict: Verdict) -> float:
    return verdict.gain.ratio if verdict.gain is not None else 0.0
