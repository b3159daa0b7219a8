"""What the rounds say of an option, before it is proven."""

from collections.abc import Sequence
from dataclasses import replace

from narrows.trials.bench import Own
from narrows.trials.gain import gain
from narrows.trials.option import Option, Verdict, arm, failed, most_changing
from narrows.trials.parity import Parity, parity
from narrows.trials.rounds import Pairs, Rounds

MOST_MEMORY = 0.9
"""Share of the machine's memory that a job with a remedy may take."""
WORTH = 1.03
"""An option that makes the job faster than this in its rounds goes on to the next ones."""


def judge(option: Option, beside: Sequence[Option], found: Rounds, own: Own, memory_bytes: int) -> Verdict:
    """`beside`: what else was in the option's arm. `kept` says only that nothing speaks against it so far."""
    options = [*beside, option]
    tried = arm(options)
    if tried.name in found.failed and not found.pairs[tried.name]:
        return failed(option, found.failed[tried.name])
    pairs = found.pairs[tried.name]
    if not pairs:
        return Verdict(option=option, why="budget")
    seen = gain(pairs, per_sample=tried.per_sample)
    after = pairs[0][1]
    same = follows(options, pairs, own)
    memory = after.memory / own.first.memory if own.first.memory else None
    verdict = Verdict(option=option, gain=seen, parity=same, memory=memory, why="no gain")
    # Of several models one may have been left as it was: then the others speak for the remedy.
    if option.remedy not in after.applied and (option.remedy in after.not_applied or not option.environment):
        return replace(verdict, why="not applied", detail=after.not_applied.get(option.remedy, ""))
    if max(changed.peak_bytes for _, changed in pairs) > MOST_MEMORY * memory_bytes:
        return replace(verdict, why="memory")
    if not same.kept:
        return replace(verdict, why="parity", detail=same.word)
    if seen is None or seen.ratio < WORTH:
        return verdict
    return replace(verdict, kept=True, why="kept")


def follows(options: Sequence[Option], pairs: Pairs, own: Own) -> Parity:
    """Whether the losses with these are the original's, as far as those are themselves. The first run is laid over them; in
    each of the others they must be numbers, too."""
    kind, (first, *later) = most_changing(options), [changed for _, changed in pairs]
    found = parity(kind, own.first, first, own.again, own.other)
    if not found.kept:
        return found
    said = (parity(kind, own.first, changed, own.again, own.other) for changed in later)
    return next((each for each in said if each.word == "not finite"), found)
