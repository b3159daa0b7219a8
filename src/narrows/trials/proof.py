"""The proof of what the search gathered: the whole against the original, and against itself without each part.

All of it from the same rounds of fresh processes, none of which the search has seen: what was picked because it
looked fast is not believed for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from narrows.trials.arm import AS_IT_IS, Arm
from narrows.trials.bench import Bench, Own
from narrows.trials.gain import FEWEST, FIRST, HOPELESS, HOPELESS_AFTER, LOOKS_AFTER, MOST, Gain, gain, ratios
from narrows.trials.judge import MOST_MEMORY, WORTH, follows
from narrows.trials.option import Option, arm
from narrows.trials.parity import Parity
from narrows.trials.rounds import Pairs, Rounds


@dataclass(frozen=True, kw_only=True)
class Proven:
    kept: tuple[Option, ...] = ()
    combined: Gain | None = None
    parity: Parity | None = None
    gains: dict[str, Gain] = field(default_factory=dict)
    """What each one adds to the others; of a single one, what it gains."""
    why: dict[str, str] = field(default_factory=dict)
    """Of those that are not kept."""
    interrupted: bool = False


def prove(options: Sequence[Option], bench: Bench, own: Own) -> Proven:
    """A part that adds nothing that is seen is dropped, the least one first, and the rest is proven anew. Where the
    budget is spent, all such parts are dropped at once, so that there is at most one proof more."""
    kept, why, gains = list(options), dict[str, str](), dict[str, Gain]()
    while True:
        found, cut = _rounds(kept, bench)
        pairs = turned(found.pairs[AS_IT_IS.name])
        idle = []
        for option in kept:
            name = _without(kept, option).name
            less = turned(found.pairs.get(name, [])) if len(kept) > 1 else pairs
            part = _gain(less, kept)
            if part is not None:
                gains[option.name] = part
                # Where the budget did not reach for the rounds without it, a part stays: the whole is proven with it.
                if len(kept) > 1 and not part.proven and name not in cut:
                    idle.append(option)
        if not idle or found.interrupted:
            return _whole(kept, pairs, found, own, bench, gains, why)
        idle.sort(key=lambda o: gains[o.name].ratio)
        for least in idle[: len(kept) - 1] if bench.late() else idle[:1]:
            why[least.name] = "beside"
            kept.remove(least)
        if len(idle) == 1:
            # What is left ran in the same rounds, beside the original or, in another group, maybe on another machine:
            # the whole, which ran in both, says how fast that was.
            rest = found.pairs[arm(kept).name]
            pairs = [
                (other, replace(mine, seconds=mine.seconds * here.seconds / there.seconds))
                for (here, other), (there, mine) in zip(found.pairs[AS_IT_IS.name], rest, strict=False)
            ]
            seen = _gain(pairs, kept)
            if seen is not None and seen.proven:
                return _whole(kept, pairs, found, own, bench, gains, why)


def _without(kept: Sequence[Option], option: Option) -> Arm:
    return arm([o for o in kept if o is not option])


def _rounds(kept: Sequence[Option], bench: Bench) -> tuple[Rounds, set[str]]:
    """The whole is the base, so that it is in each group of arms. The budget cuts what each part adds, and never the
    whole against the original: a recipe that was not measured as a whole is not written. Also the arms that it cut."""
    whole = arm(kept)
    less = [_without(kept, option) for option in kept] if len(kept) > 1 and not bench.late() else []
    hopeless, cut = set[str](), set[str]()

    def done(other: Arm, pairs: Pairs) -> bool:
        mine = turned(pairs)
        if len(pairs) >= HOPELESS_AFTER and max(ratios(mine, whole.per_sample)) < HOPELESS:
            hopeless.add(other.name)
        seen = _gain(mine, kept)
        if hopeless or (seen is not None and len(pairs) in LOOKS_AFTER and seen.proven):
            return True
        if len(pairs) >= FIRST:
            # Between two looks the budget is not asked: an end there would be one more.
            return len(pairs) in LOOKS_AFTER and (bench.late() or seen is None or seen.ratio < WORTH)
        if other is AS_IT_IS or not bench.late():
            return False
        if len(pairs) < FEWEST:
            cut.add(other.name)
        return True

    return bench.compare(whole, [AS_IT_IS, *less], MOST, done, whatever_it_takes=True), cut


def turned(pairs: Pairs) -> Pairs:
    """Rounds have their base first, which here is the whole; a gain is that of what comes second."""
    return [(other, whole) for whole, other in pairs]


def _gain(pairs: Pairs, kept: Sequence[Option]) -> Gain | None:
    return gain(pairs, per_sample=arm(kept).per_sample)


def _whole(
    kept: Sequence[Option], pairs: Pairs, found: Rounds, own: Own, bench: Bench, gains: dict[str, Gain],
    why: dict[str, str],
) -> Proven:  # fmt: skip
    """`pairs`: the original first."""
    whole = _gain(pairs, kept)
    same = follows(kept, pairs, own) if pairs else None
    word = ""
    if whole is None or not whole.proven:
        failure = next(iter(found.failed.values()), None)
        word = failure.word if failure is not None else "no gain"
    elif same is not None and not same.kept:
        word = "parity"
    elif max(mine.peak_bytes for _, mine in pairs) > MOST_MEMORY * bench.memory_bytes:
        word = "memory"
    if word:
        why.update((option.name, word) for option in kept)
    return Proven(
        kept=() if word else tuple(kept),
        combined=whole,
        parity=same,
        gains=gains,
        why=why,
        interrupted=found.interrupted,
    )
