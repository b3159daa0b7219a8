"""Which step of one rank is which step of another, and how far their clocks lie apart. Pure.

Ranks make their steps together: the same collective ends at about the same moment everywhere. So the steps' ends say
which of them belong together even where one rank has more of them than another, and what is left of their distance
is that of the clocks.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from narrows.ledger.steps import Step, steps
from narrows.spool.record import Boundary, Process

REACH = 8
"""Steps by which a rank may lie apart from another, beyond what the numbers of their steps differ by."""
MOST_SHIFTS = 64
SAMPLED = 256
"""Steps whose ends are compared: more do not tell more."""
CLEARER = 0.5
"""A shift is taken where the ends then lie this much nearer: else the smaller one stays."""
APART = 0.5
"""Of a step: ends that lie further from each other are not those of ranks that wait for each other in each step."""


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How a rank lies beside the first one."""

    shift: int
    """Step k of the first rank is step k + shift of this one."""
    offset_ns: int
    """What this rank's clock shows more: the median over the steps' ends."""
    spread_ns: int
    """The median distance of two ends, the clocks' distance taken off."""


def align(first: Sequence[Step], other: Sequence[Step], *, one_clock: bool = True) -> Alignment | None:
    """None if the two do not step together. `one_clock`: both ran on one machine, whose clock they share; else the
    clocks may show anything, and a shift is found from how uneven the steps are."""
    a, b = [s.end_ns for s in first], [s.end_ns for s in other]
    reach = min(MOST_SHIFTS, abs(len(a) - len(b)) + REACH)
    best: Alignment | None = None
    for shift in sorted(range(-reach, reach + 1), key=abs):
        begin, end = max(0, -shift), min(len(a), len(b) - shift)
        if end - begin < 3:
            continue
        every = range(begin, end, max(1, (end - begin) // SAMPLED))
        apart = [b[k + shift] - a[k] for k in every]
        offset = int(statistics.median(apart))
        centre = 0 if one_clock else offset
        spread = int(statistics.median(abs(d - centre) for d in apart))
        if best is None or spread < CLEARER * best.spread_ns:
            best = Alignment(shift=shift, offset_ns=offset, spread_ns=spread)
    typical = statistics.median(s.seconds for s in first) * 1e9 if first else 0.0
    return best if best is not None and best.spread_ns <= APART * typical else None


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The ranks' steps side by side."""

    rows: tuple[tuple[Step, ...], ...]
    """For each step that all have: that of each rank, in the order in which the ranks were given."""
    offsets_ns: tuple[int, ...]
    """Of each rank's clock against the first one's."""
    shifts: tuple[int, ...]


def beside(ranks: Sequence[Process]) -> Beside | None:
    """None if there is one rank only, or they do not step together."""
    every = [steps(p.boundaries).steps for p in ranks]
    if len(every) < 2:
        return None
    found = [align(every[0], other, one_clock=same_machine(ranks[0], p)) for p, other in zip(ranks, every, strict=True)]
    shifts, offsets = [], []
    for each in found:
        if each is None:
            return None
        shifts.append(each.shift)
        offsets.append(each.offset_ns)
    begin = max(-shift for shift in shifts)
    end = min(len(own) - shift for own, shift in zip(every, shifts, strict=True))
    rows = tuple(
        tuple(own[k + shift] for own, shift in zip(every, shifts, strict=True)) for k in range(max(0, begin), end)
    )
    return Beside(rows=rows, offsets_ns=tuple(offsets), shifts=tuple(shifts)) if rows else None


def same_machine(one: Process, other: Process) -> bool:
    """Whether the two ran on one machine, so that one clock timed both; a spool that does not say is of one."""
    return one.first("start").get("host") == other.first("start").get("host")


def undisturbed(ranks: Sequence[Process]) -> list[Process]:
    """The ranks, with a step marked as disturbed in all of them where it was in one: the others waited for it then."""
    lying = beside(ranks)
    if lying is None:
        return list(ranks)
    made = []
    for number, process in enumerate(ranks):
        spans, previous = [], 0
        for row in lying.rows:
            step = row[number]
            if any(other.disturbed for other in row) and not step.disturbed:
                spans.append((previous, step.end_ns))
            previous = step.end_ns
        made.append(replace(process, boundaries=_marked(process.boundaries, spans)) if spans else process)
    return made


def _marked(boundaries: Sequence[Boundary], spans: Sequence[tuple[int, int]]) -> tuple[Boundary, ...]:
    """Those that end within one of the spans (begin, end], which are in order, marked as disturbed."""
    made, at = [], 0
    for boundary in boundaries:
        while at < len(spans) and spans[at][1] < boundary.end_ns:
            at += 1
        inside = at < len(spans) and spans[at][0] < boundary.end_ns
        made.append(replace(boundary, disturbed=True) if inside else boundary)
    return tuple(made)
