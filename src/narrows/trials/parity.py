"""Whether a job with a remedy still computes what it did: its loss curve, or its answers, laid over the original's.

How much the original differs from itself, run twice with the same seed (`again`) and with another (`other`), is
measured and not assumed.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from narrows.trials.arm import Measured

EARLY = 3
"""Losses: before rounding has had time to grow."""
ROUNDING = {"exact": 1e-3, "memory": 1e-3, "numerics": 3e-2, "training": math.inf}
"""Relative difference of the first losses that another order of additions (float32), or another precision, makes."""
DRIFT = {"exact": 2e-2, "memory": 2e-2, "numerics": 5e-2, "training": math.inf}
"""The same of the mean of the last third: small differences grow from step to step."""
BAND = 3.0
"""A difference within so many times the original's own is none."""

Word = Literal["same", "chance", "unknown", "differs", "not finite", "stalled"]


@dataclass(frozen=True, kw_only=True)
class Parity:
    word: Word
    """`chance`: within the job's own variation from seed to seed, but with other random numbers."""
    difference: float
    """Relative, of what was compared last."""

    @property
    def kept(self) -> bool:
        return self.word in ("same", "chance")


def parity(
    kind: str, original: Measured, changed: Measured, again: Sequence[Measured], other: Sequence[Measured]
) -> Parity:
    """`kind` is the remedy's class."""
    if original.answers:
        return _answers(kind, original, changed, again)
    every = math.lcm(original.every, changed.every)
    original, changed = _thinned(original, every), _thinned(changed, every)
    again, other = [_thinned(m, every) for m in again], [_thinned(m, every) for m in other]
    a, b = original.losses, changed.losses
    if len(a) < EARLY or len(b) < EARLY:
        return Parity(word="unknown", difference=math.nan)
    if any(math.isfinite(x) for x in a[-1:]) and not all(math.isfinite(x) for x in b):
        return Parity(word="not finite", difference=math.inf)
    n = min(len(a), len(b), *(len(m.losses) for m in (*again, *other)))
    early = difference(a[:EARLY], b[:EARLY])
    late = _late(a[:n], b[:n])
    own_early = max((difference(a[:EARLY], m.losses[:EARLY]) for m in again), default=0.0)
    own_late = max((_late(a[:n], m.losses[:n]) for m in again), default=0.0)
    if _stalled(a[:n], b[:n]):
        return Parity(word="stalled", difference=late)
    if early <= max(ROUNDING[kind], BAND * own_early) and late <= max(DRIFT[kind], BAND * own_late):
        return Parity(word="same", difference=late)
    seeds = [_late(a[:n], m.losses[:n]) for m in other]
    if (
        seeds
        and late <= BAND * max(seeds)
        and early <= BAND * max(difference(a[:EARLY], m.losses[:EARLY]) for m in other)
    ):
        return Parity(word="chance", difference=late)
    return Parity(word="differs", difference=max(early, late))


def _thinned(found: Measured, every: int) -> Measured:
    """The losses after so many steps each, where a call makes several and tells of the last one only."""
    stride = every // found.every
    return found if stride <= 1 else replace(found, losses=found.losses[stride - 1 :: stride])


def difference(a: Sequence[float], b: Sequence[float]) -> float:
    """The largest difference, over the largest value: 0 for two of nothing."""
    pairs = list(zip(a, b, strict=False))
    whole = max((abs(x) for x, _ in pairs), default=0.0)
    most = max((abs(x - y) for x, y in pairs), default=0.0)
    if not math.isfinite(most):
        return math.inf
    return most / whole if whole else (0.0 if not most else math.inf)


def _late(a: Sequence[float], b: Sequence[float]) -> float:
    third = max(1, len(a) // 3)
    x, y = statistics.fmean(a[-third:]), statistics.fmean(b[-third:])
    return abs(x - y) / max(abs(x), 1e-12)


def _stalled(a: Sequence[float], b: Sequence[float]) -> bool:
    """The original's loss falls by a tenth at least, and the other's by less than half of that."""
    third = max(1, len(a) // 3)
    fell, falls = (statistics.fmean(c[:third]) - statistics.fmean(c[-third:]) for c in (a, b))
    return fell > 0.1 * abs(statistics.fmean(a[:third])) and falls < fell / 2


def _answers(kind: str, original: Measured, changed: Measured, again: Sequence[Measured]) -> Parity:
    if len(changed.answers) < len(original.answers) / 2:
        return Parity(word="unknown", difference=math.nan)
    pairs = list(zip(original.answers, changed.answers, strict=False))
    apart = max(difference(a, b) if len(a) == len(b) else math.inf for a, b in pairs)
    own = max((difference(a, b) for m in again for a, b in zip(original.answers, m.answers, strict=False)), default=0.0)
    if apart <= max(ROUNDING[kind] if kind != "numerics" else DRIFT[kind], BAND * own):
        return Parity(word="same", difference=apart)
    return Parity(word="differs" if math.isfinite(apart) else "not finite", difference=apart)
