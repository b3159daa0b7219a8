"""Memory that a step gives back to the kernel, and takes anew.

Taking it is part of the ops that touch it first. Giving it back happens between ops, when Python or the backward pass
lets go of a tensor: it looks like overhead, and goes away with the memory. So it is counted where the memory is.
"""

from collections.abc import Sequence
from dataclasses import replace

from narrows.ledger.build import FRAMEWORK_STATES, Entry
from narrows.ledger.kernels import Kernel
from narrows.report.model import Ceilings
from narrows.spool.record import Process

FEWEST = 8
"""Boundaries: in fewer, what the job takes for good would count as well."""


def per_step(process: Process, boundaries: float) -> float:
    """Pages that a steady step takes from the kernel, and so gives back; `boundaries` of a step. 0 if not known.

    Counted by the kernel for the whole process, from the settled state to the end.
    """
    since, until = process.last("settled"), process.last("pages")
    passed = until.get("boundaries", 0) - since.get("boundaries", 0)
    first, last = since.get("faults"), until.get("faults")
    if passed < FEWEST or first is None or last is None:
        return 0.0
    return max(0.0, (int(last) - int(first)) / int(passed) * boundaries)


def seconds(pages: float, threads: int, ceilings: Ceilings) -> float:
    """What it costs to take so many pages, which the threads of an op do at once, and to give them back, which one
    does."""
    return pages * (ceilings.page_touch_seconds / max(1, threads) + ceilings.page_release_seconds)


def charge(parts: Sequence[Entry], kernels: Sequence[Kernel], pages: float, ceilings: Ceilings) -> tuple[Entry, ...]:
    """Move what giving so many pages back costs from overhead to bandwidth; at most what ops do not account for."""
    spent = sum(p.seconds for p in parts if _may_be(p))
    free = spent - sum(k.fixed for k in kernels if k.state in FRAMEWORK_STATES)
    moved = min(pages * ceilings.page_release_seconds, max(0.0, free))
    if not spent or moved <= 0:
        return tuple(parts)
    part = moved / spent
    made: list[Entry] = []
    for p in parts:
        if _may_be(p):
            made.append(replace(p, seconds=p.seconds * (1 - part)))
            made.append(replace(p, cause="bandwidth", seconds=p.seconds * part))
        else:
            made.append(p)
    return tuple(made)


def _may_be(part: Entry) -> bool:
    """Memory is given back there."""
    return part.cause == "overhead" and part.state in FRAMEWORK_STATES
