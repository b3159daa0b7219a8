"""What a step's collectives would take at the measured ceiling of the link between the ranks. Pure."""

from collections.abc import Mapping, Sequence

from narrows.ledger.collectives import Collective
from narrows.report.model import Link

LIKE = {
    "broadcast": "point-to-point", "reduce": "point-to-point", "gather": "point-to-point", "scatter": "point-to-point",
    "send": "point-to-point", "receive": "point-to-point", "all-to-all": "all-gather", "barrier": "all-reduce",
}  # fmt: skip
"""Which measured kind another one is taken to cost: what passes the link is about the same."""

Links = Mapping[str, Link]


def link_of(each: Collective, links: Links | None) -> Link | None:
    return (links or {}).get(LIKE.get(each.kind, each.kind))


def seconds(each: Collective, links: Links | None) -> float | None:
    """Of a step, for all its calls, one after the other; None if the link was not measured."""
    link = link_of(each, links)
    return None if link is None else each.calls * (link.latency_seconds + each.bytes / link.bandwidth)


def total(found: Sequence[Collective], links: Links | None) -> float | None:
    """Of all collectives of a step; None if there are none, or one whose link was not measured."""
    every = [seconds(each, links) for each in found]
    known = [spent for spent in every if spent is not None]
    return sum(known) if known and len(known) == len(every) else None


def floor(found: Sequence[Collective], links: Links | None, spent: Mapping[str, float]) -> float:
    """Seconds of `communication` that could not be removed: what the bytes take at the link's bandwidth, less the work
    that they can be hidden behind. That is the backward, and the forward too where parameters are gathered for it.

    `spent`: seconds of a step by state. 0 where the link was not measured.
    """
    moving = 0.0
    for each in found:
        link = link_of(each, links)
        moving += each.calls * each.bytes / link.bandwidth if link is not None else 0.0
    behind = spent["backward"]
    if any(each.kind == "all-gather" and each.state in ("forward", "wait") for each in found):
        behind += spent["forward"]
    return max(0.0, moving - behind)
