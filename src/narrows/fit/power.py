"""How what a job takes goes with a size, from rounds in which it ran at several sizes beside each other. Pure.

Each round gives one estimate, of sizes that ran in turns, so that a drift of the machine's speed leaves exponents alone.
Their centre and interval are those of the signed-rank test (Hodges and Lehmann 1963), as for gains: of the noise it asks
only that it is symmetric, and with fewer than six rounds there is no interval.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log

from narrows.trials.gain import centre, interval

LEVEL = 0.95
"""Of an interval, at least: with six rounds it is 96.9%."""
POWERS = (0, 1, 2)
"""What a step is made of: what it costs whatever the size, rows, and matrices of all against all."""
NOISE = 1e-9
"""Share by which a sum of powers must fit better than one with fewer or lower ones: rounding is no reason."""
EVEN = 0.02
"""Sizes each so near to the same multiple of the one before are evenly spaced."""
Round = Mapping[int, float]
"""What was taken (seconds of a step, bytes) by size."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    value: float
    interval: tuple[float, float] | None
    """None: there were too few rounds."""


def slope(rounds: Sequence[Round]) -> Estimate | None:
    """e, where what is taken goes as n^e over the sizes that ran: the slope of the logarithms, by least squares. Around 0
    if it does not depend on the size. None if no two sizes ran."""
    return _estimate([_slope(each) for each in rounds])


def growth(rounds: Sequence[Round]) -> Estimate | None:
    """e, where what is taken goes as a + b n^e through three evenly spaced sizes (8, 16, 32). None where it does not grow
    from each to the next in each of the rounds, or there are no three such sizes."""
    return _estimate([_growth(each) for each in rounds])


def beyond(rounds: Sequence[Round], size: int) -> Estimate | None:
    """What would be taken at a size, that being a + b n + c n^2 with nothing negative, fitted to each round with each size
    counting alike. The interval is that of the noise, if that form is true. None if fewer than three sizes ran: two do
    not tell what grows with the square from what grows evenly."""
    found = _estimate([_log(_beyond(each, size)) for each in rounds])
    return _each(math.exp, found) if found is not None else None


def seen(rounds: Sequence[Round], size: int) -> Estimate | None:
    """What was taken at a size that ran."""
    found = _estimate([_log(each.get(size)) for each in rounds])
    return _each(math.exp, found) if found is not None else None


def _estimate(values: Sequence[float | None]) -> Estimate | None:
    """None if any round has none: those that have one would not be a fair choice."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    low, high = interval(known, LEVEL)
    return Estimate(value=centre(known), interval=(low, high) if math.isfinite(low) else None)


def _each(function: Callable[[float], float], found: Estimate) -> Estimate:
    ends = found.interval
    return Estimate(value=function(found.value), interval=(function(ends[0]), function(ends[1])) if ends else None)


def _log(value: float | None) -> float | None:
    return log(value) if value is not None and value > 0 else None


def _slope(taken: Round) -> float | None:
    if len(taken) < 2 or min(taken.values()) <= 0:
        return None
    return statistics.linear_regression([log(n) for n in taken], [log(value) for value in taken.values()]).slope


def _growth(taken: Round) -> float | None:
    sizes = sorted(taken)[-3:]
    if len(sizes) < 3:
        return None
    once, twice, four = sizes
    low, middle, high = (taken[size] for size in sizes)
    if not low < middle < high or abs((twice / once) / (four / twice) - 1) > EVEN:
        return None
    return log((high - middle) / (middle - low)) / log(four / twice)


def _beyond(taken: Round, size: int) -> float | None:
    """The best of all sums of some of the powers is the best one without a negative part."""
    if len(taken) < len(POWERS) or min(taken.values()) <= 0:
        return None
    unit = max(taken)
    best: tuple[float, float] | None = None
    for count in range(1, len(POWERS) + 1):
        for powers in combinations(POWERS, count):
            rows = [[(n / unit) ** power / value for power in powers] for n, value in taken.items()]
            parts = _least_squares(rows)
            if min(parts) < 0:
                continue
            off = sum((sum(a * b for a, b in zip(row, parts, strict=True)) - 1) ** 2 for row in rows)
            if best is None or off < best[0] - NOISE:
                best = off, sum(part * (size / unit) ** power for part, power in zip(parts, powers, strict=True))
    return best[1] if best is not None else None


def _least_squares(rows: Sequence[Sequence[float]]) -> list[float]:
    """x where rows x is nearest to 1 in each row: the normal equations, by Gauss and Jordan. At most three unknowns, of
    distinct powers, so they have a solution."""
    count = len(rows[0])
    table = [[sum(row[i] * row[j] for row in rows) for j in range(count)] + [sum(row[i] for row in rows)]
             for i in range(count)]  # fmt: skip
    for i in range(count):
        pivot = max(range(i, count), key=lambda k: abs(table[k][i]))
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [value / table[i][i] for value in table[i]]
        for k in range(count):
            if k != i:
                table[k] = [a - table[k][i] * b for a, b in zip(table[k], table[i], strict=True)]
    return [line[-1] for line in table]
