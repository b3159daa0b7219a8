"""The speed-up that pairs of runs show, with its interval.

The interval is that of the Wilcoxon signed-rank test on the logarithms of the ratios (Hodges and Lehmann 1963): it
asks of the noise only that it is symmetric, and is exact for the few pairs that there are.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from narrows.trials.rounds import Pairs

LOOKS_AFTER = (6, 7, 8, 9, 12, 15, 18)
"""Pairs after which a gain may be found to be proven: with fewer than six no interval has a level of 95%."""
FEWEST, FIRST, MOST = LOOKS_AFTER[0], 9, LOOKS_AFTER[-1]
"""So many pairs are run whatever the first ones say; so many whatever the budget; and so many if it reaches for them, of
what seems to be worth it."""
LEVEL = 1 - 2 / 2**FEWEST
"""Of each interval: 96.9%. Of all the looks together at most one in twenty takes noise for a gain: 4.6% of them
(`tests/trials/test_gain.py`; of a whole search, `tests/trials/test_search.py`)."""
HOPELESS_AFTER, HOPELESS = 3, 1.01
"""An arm that was not once faster than this in so many pairs is not run again."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    ratio: float
    """Seconds of a step before / after: above 1 is faster."""
    low: float
    high: float
    pairs: int

    @property
    def proven(self) -> bool:
        return self.low > 1.0


def gain(pairs: Pairs, *, per_sample: bool = False) -> Gain | None:
    """None if there are no pairs. With too few for an interval it is as wide as it can be."""
    if not pairs:
        return None
    logs = [math.log(ratio) for ratio in ratios(pairs, per_sample)]
    low, high = interval(logs)
    return Gain(
        ratio=math.exp(centre(logs)), low=math.exp(low), high=math.exp(high) if high < 700 else math.inf,
        pairs=len(pairs),
    )  # fmt: skip


def ratios(pairs: Pairs, per_sample: bool) -> list[float]:
    """Before / after, of a step or of a sample."""
    if per_sample and all(m.samples for pair in pairs for m in pair):
        return [before.seconds / after.seconds * after.samples / before.samples for before, after in pairs]
    return [before.seconds / after.seconds for before, after in pairs]


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Of the centre that the values are symmetric around; without bounds if they are too few for the level."""
    walsh = _walsh(values)
    outside = _critical(len(values), (1 - level) / 2)
    if outside is None:
        return -math.inf, math.inf
    return walsh[outside], walsh[-1 - outside]


def centre(values: Sequence[float]) -> float:
    """The Hodges-Lehmann estimate of it."""
    return statistics.median(_walsh(values))


def _walsh(values: Sequence[float]) -> list[float]:
    """The means of all pairs of values, each with itself included, in order."""
    return sorted((a + b) / 2 for i, a in enumerate(values) for b in values[i:])


def _critical(n: int, tail: float) -> int | None:
    """The largest k with P(W <= k) <= tail, for the signed-rank statistic W of n values; None if there is none."""
    counts = [1]
    for rank in range(1, n + 1):
        longer = counts + [0] * rank
        for total, ways in enumerate(counts):
            longer[total + rank] += ways
        counts = longer
    below, found = 0, None
    for k, ways in enumerate(counts):
        below += ways
        if below > tail * 2**n:
            return found
        found = k
    return found
