"""How long a step would take on more ranks: from a run of one process and one of several, and a model of the exchange. Pure.

Exchange of B bytes among n ranks (an all-reduce), with latency a and bandwidth w of one message:

    ring   2 (n - 1) a      + 2 (n - 1)/n B / w
    tree   2 ceil(log2 n) a + 2 (n - 1)/n B / w

The ring is Patarasuk and Yuan 2009; the tree is that of Rabenseifner 2004 (halving and doubling), whose latency NCCL's double
binary trees share. Buckets are exchanged one after the other, each with the latency, while the backward still runs; the last
one has nothing left to hide behind. Waiting for the slowest of n ranks is the largest of n normal draws (Blom 1958).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from narrows.report.parallel import Ahead, Forecast, LinkFrom


@dataclass(frozen=True, kw_only=True)
class Link:
    """What one message between two ranks takes."""

    latency: float
    """Seconds."""
    bandwidth: float
    """Bytes per second."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the two runs tell, in seconds of a step."""

    ranks: int
    """Of the second run."""
    alone: float
    """The whole step of the one process."""
    fixed: float
    """The part of it that does not depend on the samples of a step."""
    part: float
    """Samples of a step on each rank of the second run, over those of the one process."""
    work: float
    """On a rank of the second run, without communication."""
    exposed: float
    """Its communication, which nothing hid."""
    bytes: int
    """That are exchanged in each step."""
    buckets: int
    spread: float
    """Standard deviation of a rank's work, beside that of the others."""
    busy: float
    """Seconds for which a step of a rank of the second run kept cores busy, with all of its threads."""
    cores: int
    """Of the machine that both ran on."""

    def samples(self, part: float) -> float:
        """Work of one process whose step has that part of the samples, as it was alone."""
        return self.fixed + (self.alone - self.fixed) * part

    @property
    def crowding(self) -> float:
        """How much slower a rank works beside those of the second run: shared cores, caches and memory."""
        return self.work / self.samples(self.part)


def ring(ranks: int, size: float, link: Link, buckets: int = 1) -> float:
    """Seconds of an all-reduce of so many bytes, in so many pieces."""
    return 2 * (ranks - 1) * link.latency * buckets + 2 * (ranks - 1) / ranks * size / link.bandwidth


def tree(ranks: int, size: float, link: Link, buckets: int = 1) -> float:
    latency = 2 * math.ceil(math.log2(ranks)) * link.latency * buckets
    return latency + 2 * (ranks - 1) / ranks * size / link.bandwidth


MODELS = {"ring": ring, "tree": tree}


def slowest(ranks: int) -> float:
    """By how many standard deviations the slowest of so many is expected to be behind the mean."""
    return NormalDist().inv_cdf((ranks - 0.375) / (ranks + 0.25)) if ranks > 1 else 0.0


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What the second run says of the exchange, beside its model."""

    waits: float
    """Of its communication: for the slower of the ranks."""
    hidden: float
    """Seconds of the exchange that went on beside the rest of the step."""
    last: float
    """Share of the exchange that nothing can hide: its last piece, unless even that was seen to be hidden."""
    factor: float
    """Where even with nothing hidden the exchange took longer than its model, how much."""
    working: float
    """Seconds for which a rank's work kept cores busy."""
    beside: float
    """Cores that the exchange kept busy while it was hidden: no more than the work left."""
    on_cores: float
    """Share of the exposed exchange in which it kept a core busy."""


def calibrated(known: Known, link: Link) -> Calibrated:
    """Two ranks exchange alike in a ring and in a tree."""
    waits = min(known.exposed, slowest(known.ranks) * known.spread)
    taken, modelled = known.exposed - waits, ring(known.ranks, known.bytes, link, known.buckets)
    whole = max(taken, modelled)
    hidden = whole - taken
    exchanging = min(max(0.0, known.busy - known.work), whole)
    working = known.busy - exchanging
    beside = min(exchanging * hidden / whole, max(0.0, known.work * known.cores / known.ranks - working))
    return Calibrated(
        waits=waits,
        hidden=hidden,
        last=min(1 / known.buckets, taken / modelled),
        factor=whole / modelled,
        working=working,
        beside=beside / hidden if hidden else 0.0,
        on_cores=min(1.0, (exchanging - beside) / taken) if taken else 0.0,
    )


def step(
    known: Known, seen: Calibrated, link: Link, model: str, ranks: int, per_machine: int, part: float
) -> tuple[float, float]:
    """(seconds of a step, seconds of it that are communication) with that part of the one process's samples on each rank and
    so many ranks on each machine.

    A machine gives no more than its cores: where its ranks keep them busy for longer than their work would take, that is what
    the work takes, and then nobody's waiting costs anything. What of the exchange is exposed comes after all ranks' work, so
    that it has no work of others to share the cores with: they share them in it, too.
    """
    if ranks == 1:
        return known.samples(part), 0.0
    beside = 1 + (known.crowding - 1) * min(1.0, (per_machine - 1) / (known.ranks - 1))
    work = known.samples(part) * max(1.0, beside)
    more = MODELS[model](ranks, known.bytes, link, known.buckets) * seen.factor
    # A smaller backward hides less.
    exposed = max(more * seen.last, more - seen.hidden * min(1.0, part / known.part))
    waits = seen.waits * slowest(ranks) / slowest(known.ranks) * (work / known.work)
    busy = seen.working * known.samples(part) / known.samples(known.part) + seen.beside * (more - exposed)
    crowded = per_machine * busy / known.cores
    exposed *= 1 + seen.on_cores * max(0.0, per_machine / max(known.cores, known.ranks) - 1)
    return max(work + waits, crowded) + exposed, exposed + (waits if work + waits >= crowded else 0.0)


def forecast(
    known: Known, seen: Calibrated, link: Link, counts: Sequence[int], *, per_machine: int, source: LinkFrom
) -> Forecast:
    """`per_machine`: ranks on each. `source`: where the link's figures come from."""
    rows = []
    for scaling in ("weak", "strong"):
        for ranks in sorted(set(counts)):
            part = known.part if scaling == "weak" else 1 / ranks
            for model in MODELS if ranks > 1 else ("ring",):
                seconds, communication = step(known, seen, link, model, ranks, min(ranks, per_machine), part)
                alone = known.samples(part) if scaling == "weak" else known.alone / ranks
                rows.append(
                    Ahead(
                        ranks=ranks, scaling=scaling, model=model, step_seconds=seconds, communication_seconds=communication,  # type: ignore[arg-type]
                        efficiency=alone / seconds, speedup=alone / seconds * ranks,
                    )
                )  # fmt: skip
    return Forecast(
        rows=rows, ranks_per_machine=per_machine, bytes=known.bytes, buckets=known.buckets, latency_seconds=link.latency,
        bandwidth=link.bandwidth, link=source, part=known.part, hidden_seconds=seen.hidden, link_factor=seen.factor, crowding=known.crowding,
        spread_seconds=known.spread, busy_seconds=known.busy, cores=known.cores, ranks_seen=known.ranks,
    )  # fmt: skip
