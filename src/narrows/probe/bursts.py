"""Whether some steps hold what the others do not: a rollout every 16 updates, an answer every 12 tokens."""

from collections.abc import Sequence
from itertools import pairwise

LONG = 2.0
"""A step that takes more than this many typical ones holds something that is not done in each ..."""
SHARE = 0.05
"""... and that counts where it takes more than this share of the time."""
FEWEST = 8


def excess(durations: Sequence[int]) -> float:
    """Share of the time that long steps take above the typical; the longest may be the machine's doing, and is left
    out."""
    typical = sorted(durations)[len(durations) // 2]
    over = sorted(d - typical for d in durations if d > LONG * typical)
    return sum(over[:-1]) / max(1, sum(durations))


def period(durations: Sequence[int | None]) -> int:
    """Steps from one burst to the next; 1 if time comes evenly, as far as these show. None: not a clean step."""
    clean = [d for d in durations if d is not None]
    if len(clean) < FEWEST or excess(clean) <= SHARE:
        return 1
    typical = sorted(clean)[len(clean) // 2]
    long = [i for i, d in enumerate(durations) if d is not None and d > LONG * typical]
    apart = sorted(b - a for a, b in pairwise(long))
    return apart[(len(apart) - 1) // 2]
