"""Two runs of a job, of one process and of several, as what a forecast starts from."""

import dataclasses
import math
import re
import statistics
from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from narrows.job import watch
from narrows.ledger.alignment import beside
from narrows.ledger.collectives import collectives
from narrows.ledger.forecast import Known, Link, calibrated, forecast, slowest
from narrows.ledger.steps import Step, steps
from narrows.report.build import build, trainers
from narrows.report.model import Report
from narrows.report.parallel import LinkFrom
from narrows.spool.read import read
from narrows.spool.record import Process

PER_SAMPLE = ("input", "transfer", "bandwidth", "compute")
"""Causes that grow with the samples of a step; dispatching ops and the script's own Python do not."""
FEWEST = 8
"""Steps that are laid side by side."""
DEVIATION = 1.4826
"""A normal distribution's standard deviation, over its median deviation."""
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
SCALES = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def with_forecast(
    folder: Path, alone: Path, counts: Sequence[int], lang: str, *, per_machine: int = 0, link: Link | None = None
) -> Report:
    """The report of the run in `folder`, of several ranks, with what a step would take on so many. `alone`: the run of one
    process; `per_machine`: 0 is as many as there were. Raises `ValueError` in a sentence if the runs do not tell."""
    several, one = build(folder, lang), build(alone, lang)
    ranks = trainers(read(folder / "spool"))
    if len(ranks) < 2:
        raise ValueError(f"a forecast starts from a run of several ranks, and this one has {several.job.ranks}")
    size, pieces = exchanged(ranks)
    found = known(
        one,
        several,
        size=size,
        buckets=pieces,
        busy=busy(ranks, watch.read(folder / watch.WATCHED)),
        spread=spread(ranks),
    )
    ceiling = _ceiling(several)
    own = ceiling or _seen(found)
    seen = calibrated(found, own)  # what the run exchanged went over its own link
    source: LinkFrom = "measured" if ceiling else "seen"
    if link is not None:
        own, source, seen = link, "given", dataclasses.replace(seen, factor=1.0)
    made = forecast(found, seen, own, counts, per_machine=per_machine or found.ranks, source=source)
    return replace(several, forecast=made)


def exchanged(ranks: Sequence[Process]) -> tuple[int, int]:
    """(bytes that a rank exchanges in a step, in how many pieces), as the deep windows saw it; else the gradients of what
    was wrapped. Raises `ValueError`."""
    if not ranks:
        raise ValueError("no rank of this run made a step")
    found = [c for c in collectives(ranks[0], steps(ranks[0].boundaries).per_step) if c.bytes]
    if found:
        return round(sum(c.bytes * c.calls for c in found)), max(1, round(sum(c.calls for c in found)))
    wrapped = ranks[0].events.get("parallel", ())
    size = sum(int(e["bytes"]) for e in wrapped)
    if not size:
        raise ValueError("nothing was seen that the ranks of this run exchange")
    return size, sum(math.ceil(e["bytes"] / max(1, e["bucket_bytes"])) for e in wrapped)


def known(alone: Report, several: Report, *, size: int, buckets: int, busy: float, spread: float) -> Known:
    """Raises `ValueError` in a sentence if these two reports do not go together."""
    for report, what in ((alone, "the run of one process"), (several, "the run of several ranks")):
        if report.step is None or report.ledger is None or report.phases is None:
            raise ValueError(f"{what} has no ledger, so nothing can be forecast from it")
    if alone.job.ranks != 1 or several.job.ranks < 2:
        had = f"these have {alone.job.ranks} and {several.job.ranks}"
        raise ValueError(f"a forecast needs a run of one process and one of several ranks: {had}")
    if (alone.machine.cpu, alone.machine.cores) != (several.machine.cpu, several.machine.cores):
        raise ValueError("these two runs were made on different machines")
    assert alone.step is not None
    assert alone.ledger is not None
    assert alone.phases is not None
    assert several.step is not None
    assert several.ledger is not None
    exposed = sum(row.seconds for row in several.ledger if row.cause == "communication")
    grows = sum(row.seconds for row in alone.ledger if row.cause in PER_SAMPLE)
    # The update is made once, however many samples there were.
    grows = min(alone.step.median_seconds, max(0.0, grows - alone.phases["optimizer"]))
    return Known(
        ranks=several.job.ranks,
        alone=alone.step.median_seconds,
        fixed=alone.step.median_seconds - grows,
        part=_samples(several) / _samples(alone) if _samples(several) and _samples(alone) else 1.0,
        work=max(1e-9, several.step.median_seconds - exposed),
        exposed=exposed,
        bytes=size,
        buckets=buckets,
        spread=spread,
        busy=busy,
        cores=several.machine.cores,
    )


def _samples(report: Report) -> float:
    """Of a step; 0 where they are not known."""
    step = report.step
    return step.samples_per_second * step.median_seconds if step and step.samples_per_second else 0.0


def spread(ranks: Sequence[Process]) -> float:
    """By how much (one standard deviation, in seconds) a rank's work on a step differs from that of the others beside it.

    From the steps of two ranks, side by side: what they have in common, such as a machine that is slower for a while, nobody
    waits for. A median of deviations, so that a few pauses do not make it large.
    """
    lying = beside(ranks[:2])
    clean = [row for row in lying.rows if not any(step.disturbed or step.light for step in row)] if lying else []
    apart = [_work(mine) - _work(other) for mine, other in clean]
    if len(apart) < FEWEST:
        return 0.0
    centre = statistics.median(apart)
    return statistics.median(abs(each - centre) for each in apart) * DEVIATION / math.sqrt(2)


def busy(ranks: Sequence[Process], samples: Sequence[watch.Sample]) -> float:
    """Seconds for which a step of one rank keeps cores busy, as the kernel counts them: the median over the times between two
    looks in which nothing was looked at deeply. 0 where it was not watched."""
    found = []
    for process in ranks:
        marks = steps(process.boundaries).steps
        ends, deep = [s.end_ns for s in marks], [s.end_ns for s in marks if s.disturbed]
        for a, b in pairwise(s for s in samples if s.pid == process.pid):
            count = bisect(ends, b.at_ns) - bisect(ends, a.at_ns)
            if count and bisect(deep, b.at_ns) == bisect(deep, a.at_ns):
                found.append((b.ran_ns - a.ran_ns) / 1e9 / count)
    return statistics.median(found) if found else 0.0


def _work(step: Step) -> float:
    return step.seconds - step.waited


def _ceiling(report: Report) -> Link | None:
    """One message's, from the measured all-reduce between so many ranks, which is a ring's 2 (n - 1) messages."""
    found: Any = report.machine.ceilings.collective if report.machine.ceilings else None
    measured = found.get("all-reduce") if found else None
    if measured is None:
        return None
    messages = 2 * (measured.ranks - 1)
    return Link(latency=measured.latency_seconds / messages, bandwidth=measured.bandwidth * messages / measured.ranks)


def _seen(found: Known) -> Link:
    """As if nothing of the exchange had been hidden."""
    taken = max(1e-9, found.exposed - slowest(found.ranks) * found.spread)
    return Link(latency=0.0, bandwidth=2 * (found.ranks - 1) / found.ranks * found.bytes / taken)


def parse_link(text: str) -> Link:
    """`20us,12.5GB/s`: the latency of a message and its bandwidth. Raises `ValueError`."""
    found = re.fullmatch(r"([\d.]+) ?(s|ms|us|ns), ?([\d.]+) ?([KMGT]?)B/s", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no link; write it as 20us,12.5GB/s")
    return Link(latency=float(found[1]) * UNITS[found[2]], bandwidth=float(found[3]) * SCALES[found[4]])
