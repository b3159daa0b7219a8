"""One process's whole account: from its spool to the parts of its step."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from narrows.ledger import graphs, pages
from narrows.ledger.build import Entry, entries
from narrows.ledger.gaps import Gap, gaps
from narrows.ledger.kernels import Kernel, kernels
from narrows.ledger.steady import Steady, steady
from narrows.ledger.steps import Step, Steps, steps
from narrows.report.model import Ceilings
from narrows.spool.record import Op, Process, Window


@dataclass(frozen=True, kw_only=True)
class Account:
    steps: Steps
    steady: Steady | None
    kernels: tuple[Kernel, ...]
    gaps: tuple[Gap, ...]
    entries: tuple[Entry, ...]


def account(process: Process, fixed: Callable[[Op], float | None], ceilings: Ceilings | None) -> Account:
    """The account of one process. Without ceilings the steps are there, and what they went to is unexplained."""
    found = steps(process.boundaries)
    typical = steady(found.steps)
    if typical is None or ceilings is None:
        return Account(steps=found, steady=typical, kernels=(), gaps=(), entries=())
    windows = covering(of_stages(process.windows, found.spans))
    slower = drift(process, found.steps, typical.median)
    typical = graphs.divide(typical, process, windows, found.per_step, slower)
    ops = kernels(windows, found.per_step, fixed, ceilings, slower)
    ops = fitted(ops, typical)
    places = gaps(
        windows, found.per_step, typical, process.sites(), infers=found.type == "inference", ops=_by_line(ops)
    )
    parts = graphs.name_callbacks(entries(typical, ops, places), process)
    parts = pages.charge(parts, ops, pages.per_step(process, found.per_step), ceilings)
    return Account(steps=found, steady=typical, kernels=ops, gaps=places, entries=parts)


def of_stages(windows: Sequence[Window], spans: Sequence[tuple[int, int]]) -> Sequence[Window]:
    """Those that were open in these stages; all, where none was."""
    return [w for w in windows if any(begin < w.end_ns <= end for begin, end in spans)] or windows


def covering(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Where some windows were open from one burst to the next, those: a shorter one shows what is between."""
    longest: dict[str, int] = {}
    for window in windows:
        longest[window.kind] = max(window.steps, longest.get(window.kind, 0))
    return tuple(w for w in windows if 2 * w.steps >= longest[w.kind])


def _by_line(ops: Sequence[Kernel]) -> dict[tuple[str, tuple[str, int] | None], float]:
    found: dict[tuple[str, tuple[str, int] | None], float] = {}
    for k in ops:
        if k.where is not None:
            found[k.state, k.where] = found.get((k.state, k.where), 0.0) + k.seconds + k.fixed
    return found


def fitted(ops: Sequence[Kernel], typical: Steady) -> tuple[Kernel, ...]:
    """The kernels of each state, scaled down where they would not fit into the state's time."""
    made: list[Kernel] = []
    for state in {k.state for k in ops}:
        mine = [k for k in ops if k.state == state]
        taken = sum(k.seconds for k in mine)
        part = min(1.0, typical.seconds[state] / taken) if taken else 1.0
        made.extend(replace(k, seconds=k.seconds * part) for k in mine)
    return tuple(made)


def drift(process: Process, every: Sequence[Step], median: float) -> float:
    """The steady step over the undisturbed steps around the deep windows; 1 if there were none."""
    ends = [w.end_ns for w in process.windows]
    if not ends:
        return 1.0
    near = [s.seconds for s in every if not s.disturbed and min(ends) <= s.end_ns <= max(ends) + median * 8e9]
    if len(near) < 4:
        return 1.0
    return min(2.0, max(0.5, median / statistics.median(near)))
