"""What a job's ops take where its ranks do not want more threads than there are cores.

Threads of a parallel region that wait for each other while other threads have their cores cost anything from nothing to a
thousand times the op (a product of 64 x 64 took 8 ms instead of 5 us beside another process that did the same, one of
1024 x 1024 took 23 ms instead of 13): no formula says which. So the job's ops are called again, as large as they are, in
as many processes as there are ranks, each with its share of the cores.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from narrows.machine.fixed import call, measure
from narrows.spool.record import Op

BUDGET = 6.0
"""Seconds for all of them, beside the start of the processes."""
COVERED, MOST = 0.98, 100
"""Share of the time in ops that is asked about, the largest first, and in how many kinds of calls at most."""


def name(op: Op) -> str:
    """Of all calls with the same arguments."""
    return json.dumps(call(op), sort_keys=True)


def apart(python: str, threads: int, ranks: int, ops: Iterable[Op]) -> dict[str, float]:
    """Seconds of a call by `name`, where that could be measured. `threads`: of each rank."""
    calls = {name(op): call(op) for op in largest(list(ops))}
    if not calls:
        return {}
    with ThreadPoolExecutor(max_workers=ranks) as pool:
        made = [pool.submit(measure, python, threads, calls, BUDGET, whole=True) for _ in range(ranks)]
        every = [each.result() for each in made]
    found = {}
    for each in calls:
        seen = [seconds for rank in every if (seconds := rank.get(each)) is not None]
        if seen:
            found[each] = statistics.median(seen)
    return found


def largest(ops: Sequence[Op]) -> list[Op]:
    """One of each kind of call, those first that took the most time, as far as they are worth it."""
    spent: dict[str, int] = {}
    first: dict[str, Op] = {}
    for op in ops:
        if op.raw is not None:
            key = name(op)
            first.setdefault(key, op)
            spent[key] = spent.get(key, 0) + op.ns
    left, chosen = COVERED * sum(spent.values()), []
    for key in sorted(spent, key=lambda each: -spent[each])[:MOST]:
        if left <= 0:
            break
        chosen.append(first[key])
        left -= spent[key]
    return chosen
