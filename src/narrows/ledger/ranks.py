"""What ranks wait for: each other, or the exchange itself; which one they wait for, and what it does meanwhile. Pure.

In each step a rank waits in the states `wait` and `communication`. What the rank waits that waits least in that step is
the exchange, exposed; what another waits more, it waits for the slowest. If the slowest one's own work were, on average, as
that of the next, each step would be shorter by that, but by no more than what the next one waits for it in this step: that
is what the slowest costs. Ranks that are slow in turn cost nothing by this: none of them is slower than another.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from narrows.ledger.alignment import beside
from narrows.ledger.gaps import merge
from narrows.ledger.steady import middle, startup_ends, steady
from narrows.ledger.steps import Step, steps
from narrows.spool.record import STATES, WAITS, Process

FEWEST = 3
"""Steps that all ranks made undisturbed."""

Place = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Excess:
    """What a rank spends more of than the others' median."""

    state: str
    seconds: float
    """Of each step."""
    where: Place | None
    """The line that it spends most of that in, as far as lines were looked at in this state."""


@dataclass(frozen=True, kw_only=True)
class Waits:
    """One rank among the others. Seconds are those of an average undisturbed step."""

    rank: int
    waiting: float
    """For the slowest rank."""
    slowest: float
    """Share of the steps in which it is the one that is waited for."""
    cost: float
    """By how much the steps would be shorter if its own work were, on average, as that of the next slowest."""
    offset: float
    """Seconds that its clock shows more than the first rank's."""
    excess: Excess | None
    """None: it spends nothing more than the others."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """The ranks of a job that make their steps together."""

    steps: int
    """That this rests on."""
    exchange: float
    """Seconds of each step that even the rank waits that waits least."""
    ranks: tuple[Waits, ...]
    critical: int
    """Index of the rank that waits least for the others."""

    @property
    def slowest(self) -> Waits:
        """The rank that costs most."""
        return max(self.ranks, key=lambda each: each.cost)


def together(ranks: Sequence[Process]) -> Together | None:
    """None if there is one rank only, they do not step together, or too few steps were undisturbed on all of them."""
    lying = beside(ranks)
    if lying is None:
        return None
    rows = _typical(lying.rows)
    if len(rows) < FEWEST:
        return None
    waits = [[step.waited for step in row] for row in rows]
    own = [_means([row[number] for row in rows]) for number in range(len(ranks))]
    lines = [_lines(process) for process in ranks]
    made = []
    for number, process in enumerate(ranks):
        first = [each for each in waits if each.index(min(each)) == number]
        made.append(
            Waits(
                rank=process.rank,
                waiting=sum(each[number] - min(each) for each in waits) / len(rows),
                slowest=len(first) / len(rows),
                cost=_cost([min(w for i, w in enumerate(each) if i != number) - each[number] for each in waits]),
                offset=lying.offsets_ns[number] / 1e9,
                excess=_excess(number, own, lines, process),
            )
        )
    return Together(
        steps=len(rows),
        exchange=sum(min(each) for each in waits) / len(rows),
        ranks=tuple(made),
        critical=min(range(len(made)), key=lambda number: made[number].waiting),
    )


def _typical(rows: Sequence[tuple[Step, ...]]) -> list[tuple[Step, ...]]:
    """Those after start-up that were undisturbed on all ranks and are near the median, as the ledger's are."""
    late = rows[max(startup_ends([row[number] for row in rows]) for number in range(len(rows[0]))) :]
    clean = [row for row in late if not any(step.disturbed or step.light for step in row)]
    known = steady([row[0] for row in clean])
    if known is None:
        return clean
    blocks = [clean[i : i + known.block] for i in range(0, len(clean) - known.block + 1, known.block)]
    return middle(blocks, [sum(row[0].seconds for row in block) for block in blocks])


def _cost(gaps: Sequence[float]) -> float:
    """`gaps`: seconds of each step by which a rank is behind the next slowest one; negative where it is not the slowest."""
    lasting = max(0.0, sum(gaps) / len(gaps))
    return sum(min(lasting, max(0.0, gap)) for gap in gaps) / len(gaps)


def _means(every: Sequence[Step]) -> dict[str, float]:
    """Seconds of an average step by state, without the waits."""
    return {name: sum(step.state(name) for step in every) / len(every) / 1e9 for name in STATES if name not in WAITS}


def _excess(
    number: int,
    own: Sequence[Mapping[str, float]],
    lines: Sequence[Mapping[str, Mapping[Place, float]]],
    process: Process,
) -> Excess | None:
    others = [each for other, each in enumerate(own) if other != number]
    more = {name: spent - statistics.median(each[name] for each in others) for name, spent in own[number].items()}
    state = max(more, key=lambda name: more[name])
    if more[state] <= 0:
        return None
    rest = [each.get(state, {}) for other, each in enumerate(lines) if other != number]
    beyond = {
        place: spent - statistics.median(each.get(place, 0.0) for each in rest)
        for place, spent in lines[number].get(state, {}).items()
    }
    where = max(beyond, key=lambda place: beyond[place], default=None)
    if where is not None and beyond[where] <= 0:
        where = None
    if where is None and state == "next":  # workers make the batches: how they make a sample
        sample = process.last("loader").get("sample") or process.last("loader").get("where")
        where = (sample[0], sample[1]) if sample else None
    return Excess(state=state, seconds=more[state], where=where)


def _lines(process: Process) -> dict[str, dict[Place, float]]:
    """Seconds of a step by state and line, while lines were traced."""
    windows = [w for w in process.windows if w.kind == "lines"]
    turns = sum(w.steps for w in windows) / steps(process.boundaries).per_step
    found: dict[str, dict[Place, float]] = {}
    for line in merge(line for w in windows for line in w.lines):
        here = found.setdefault(line.state, {})
        here[line.file, line.line] = here.get((line.file, line.line), 0.0) + line.ns / 1e9 / max(turns, 1e-9)
    return found
