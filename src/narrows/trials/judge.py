"""What the rounds say of an option, before it is proven."""

from narrows.trials.bench import Own
from narrows.trials.gain import gain
from narrows.trials.option import Option, Verdict, failed
from narrows.trials.parity import Parity, parity
from narrows.trials.rounds import Pairs, Rounds

MOST_MEMORY = 0.9
"""Share of the machine's memory that a job with a remedy may take."""
WORTH = 1.03
"""An option that makes the job faster than this in its rounds goes on to the next ones."""
CLASSES = ("training", "numerics", "memory", "exact")
"""The one that changes most first: it says how far the losses may lie apart."""


def judge(option: Option, name: str, found: Rounds, own: Own, memory_bytes: int, kind: str = "") -> Verdict:
    """`name`: of the arm with the option in it; `kind`: the class of that arm, the option's own by default. `kept`
    says only that nothing speaks against it so far."""
    if name in found.failed and not found.pairs[name]:
        return failed(option, found.failed[name])
    pairs = found.pairs[name]
    if not pairs:
        return Verdict(option=option, why="budget")
    seen = gain(pairs, per_sample="training" in (option.kind, kind))
    after = pairs[0][1]
    same = follows(kind or option.kind, pairs, own)
    memory = after.peak_bytes / own.first.peak_bytes if own.first.peak_bytes else None
    verdict = Verdict(option=option, gain=seen, parity=same, memory=memory, kept=False, why="no gain")
    # Of several models one may have been left as it was: then the others speak for the remedy.
    if option.remedy not in after.applied and (option.remedy in after.not_applied or not option.environment):
        return _but(verdict, "not applied", after.not_applied.get(option.remedy, ""))
    if after.peak_bytes > MOST_MEMORY * memory_bytes:
        return _but(verdict, "memory")
    if not same.kept:
        return _but(verdict, "parity", same.word)
    if seen is None or seen.ratio < WORTH:
        return verdict
    return Verdict(option=option, gain=seen, parity=same, memory=memory, kept=True, why="kept")


def follows(kind: str, pairs: Pairs, own: Own) -> Parity:
    """Whether the arm's losses are the original's, as far as those are themselves."""
    return parity(kind, own.first, pairs[0][1], own.again, own.other)


def _but(verdict: Verdict, why: str, detail: str = "") -> Verdict:
    return Verdict(
        option=verdict.option, gain=verdict.gain, parity=verdict.parity, memory=verdict.memory, why=why, detail=detail
    )
