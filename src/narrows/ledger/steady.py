"""The steady state: where start-up ends, which steps are typical, and how long a step takes."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from narrows.ledger.steps import Step
from narrows.spool.record import STATES

T = TypeVar("T")

STARTED = 1.5
"""Start-up is over with the first run of three steps that take less than this many medians."""
RARE, OFTEN = 0.2, 6
"""Steps that hold an evaluation are pauses if they are fewer than this share and this many; else evaluating is part of
a step."""
BURSTY = 0.05
"""A median of means that differs by more than this from the median says that time comes in bursts; and so do long
steps that take more than this share of the time."""
LONG = 2.0
"""Typical steps that a long one takes."""
MOST_BLOCKS = 15
NORMAL = 1.349
"""Standard deviations between the quartiles of a normal distribution."""


@dataclass(frozen=True, kw_only=True)
class Steady:
    """The step that the ledger explains."""

    first: int
    """Index of the first steady step: what comes before is start-up."""
    count: int
    """Undisturbed steps used."""
    median: float
    """Seconds."""
    interval: tuple[float, float]
    """95%, from order statistics: no assumption on the noise."""
    block: int
    seconds: dict[str, float]
    """By state; they sum to `median`."""
    samples: float
    """Per step."""
    durations: tuple[float, ...]
    evaluation: float
    """Seconds in all that steady steps with an evaluation took above the median of the others; 0 if there is one in
    most steps."""
    pauses: tuple[tuple[float, str], ...]
    """(seconds above the median, the state that took most of it) of steps far above it that the median leaves out."""


def steady(steps: Sequence[Step]) -> Steady | None:
    """None if there are not enough steps to speak of (fewer than 3 after the first)."""
    first = startup_ends(steps)
    late = steps[first:]
    clean = [s for s in late if not s.disturbed]
    if len(clean) < 3:
        clean = list(late)
    if len(clean) < 2:
        return None
    timed = [s for s in clean if not s.light]
    every = len(clean) / max(1, len(timed))
    evaluating = [s for s in timed if s.state("evaluate")]
    plain = [s for s in clean if not s.state("evaluate")]
    if len(evaluating) < RARE * len(timed) and len(evaluating) < OFTEN:
        clean = plain
    elif len(evaluating) > len(timed) / 2:
        evaluating = []
    durations = [s.seconds for s in clean]
    typical = statistics.median(durations)
    usual = statistics.median(s.seconds for s in plain) if evaluating else typical
    block = _block(durations, typical)
    blocks = [clean[i : i + block] for i in range(0, len(clean) - block + 1, block)]
    means = [sum(s.seconds for s in b) / block for b in blocks]
    median = statistics.median(means)
    kept = [s for s in middle(blocks, means) if not s.light] or timed
    sums = [sum(s.ns[i] for s in kept) for i in range(len(STATES))]
    total = sum(sums) or 1
    return Steady(
        first=first,
        count=len(clean),
        median=median,
        interval=interval(means),
        block=block,
        seconds={name: median * part / total for name, part in zip(STATES, sums, strict=True)},
        samples=sum(s.samples for s in kept) / len(kept),
        durations=tuple(durations),
        evaluation=sum(max(0.0, s.seconds - usual) for s in evaluating) * every,
        pauses=() if block > 1 else tuple(_pause(s, typical) for s in timed if s.seconds > 3 * typical),
    )


def startup_ends(steps: Sequence[Step]) -> int:
    """Index of the first steady step. The first step is never steady: it holds what came before the loop."""
    if len(steps) < 4:
        return min(1, len(steps))
    late = [s.seconds for s in steps[len(steps) // 3 :] if not s.disturbed] or [s.seconds for s in steps[1:]]
    typical = statistics.median(late)
    for i in range(1, len(steps) - 2):
        if all(s.seconds <= STARTED * typical or s.disturbed for s in steps[i : i + 3]):
            return i
    return 1


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95% interval of the median: the order statistics n/2 -+ 0.98 sqrt(n) (binomial, normal approximation)."""
    ordered = sorted(values)
    n = len(ordered)
    reach = 0.98 * math.sqrt(n)
    low = max(0, math.floor(n / 2 - reach))
    high = min(n - 1, math.ceil(n / 2 + reach) - 1)
    return ordered[low], ordered[max(low, high)]


def unevenness(durations: Sequence[float]) -> float:
    """How far steps lie from each other: their quartiles' distance as a normal distribution has it, over the median. A
    few long ones among many alike do not count."""
    if len(durations) < 4:
        return 0.0
    low, middle, high = statistics.quantiles(durations, n=4)
    return (high - low) / NORMAL / middle if middle else 0.0


def _block(durations: Sequence[float], typical: float) -> int:
    """Steps to average before the median is taken: 1, unless a plain median would miss recurring bursts."""
    n = len(durations)
    if n < 12:
        return 1
    over = sorted(d - typical for d in durations if d > LONG * typical)
    if len(over) >= OFTEN and sum(over[:-1]) > BURSTY * sum(durations):
        return n // min(MOST_BLOCKS, n // 4, len(over) // 2)  # at least two bursts in each
    count = min(MOST_BLOCKS, n // 4)
    size = n // count
    means = [sum(durations[i : i + size]) / size for i in range(0, n - size + 1, size)]
    return size if abs(statistics.median(means) / typical - 1) > BURSTY else 1


def middle(blocks: Sequence[Sequence[T]], means: Sequence[float]) -> list[T]:
    """The steps (or whatever stands for one) of the half of the blocks that is nearest to the median."""
    order = sorted(range(len(blocks)), key=lambda i: means[i])
    keep = order[len(order) // 4 : max(len(order) // 4 + 1, len(order) - len(order) // 4)]
    return [step for i in keep for step in blocks[i]]


def _pause(step: Step, typical: float) -> tuple[float, str]:
    longest = max(range(len(STATES)), key=lambda i: step.ns[i])
    return step.seconds - typical, STATES[longest]
