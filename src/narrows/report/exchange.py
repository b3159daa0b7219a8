"""The parts of a report that only a job of several ranks has: the link between them, each rank, what they exchange."""

from narrows.report.record import Record, Row


class Link(Record, frozen=True, kw_only=True):
    """The measured limit of one kind of collective: `bytes` take latency_seconds + bytes / bandwidth. Bytes are those of
    the larger side of a call, what goes in or what comes out of it, on one rank."""

    ranks: int
    backend: str
    latency_seconds: float
    bandwidth: float
    """Bytes per second."""
    by_size: list[tuple[int, float]]
    """(bytes, seconds of a call) that the two were fitted to."""


class Rank(Record, frozen=True, kw_only=True):
    rank: int
    step_seconds: float
    ledger: list[Row]
    waits_for_others_seconds: float
    """Of its row `communication`: waiting for the slowest rank."""
    exchange_seconds: float | None = None
    """The rest of that row: exchanging, which nothing hides. None: the ranks do not step together."""
    slowest_share: float | None = None
    """Share of the steps in which the others wait for this rank."""
    costs_seconds: float | None = None
    """By how much a step would be shorter if this rank's own work took no longer than that of the next slowest."""
    slower_in: str | None = None
    """The state (`next`, `forward`, `tail` ...) in which it spends most beyond the others' median."""
    slower_seconds: float | None = None
    where: str | None = None
    """`train.py:41`, the line that it spends most of that in."""
    clock_offset_seconds: float | None = None
    """What its clock shows more than the first rank's; about 0 on one machine."""


class Exchanged(Record, frozen=True, kw_only=True):
    """Collectives of one kind, size and line."""

    kind: str
    """`all-reduce`, `all-gather`, `reduce-scatter`, `broadcast` ..."""
    bytes: int
    """Of one call, on one rank: of the larger side."""
    dtype: str
    calls: float
    """In a step."""
    ceiling_seconds: float | None
    """What they would take at the link's ceiling, one after the other."""
    state: str
    """When: `backward` (a gradient sync), `communication` (called from the loop), `wait` (from within a model call)."""
    where: str | None


class Communication(Record, frozen=True, kw_only=True):
    """The row `communication` of a job of several ranks, split."""

    exchange_seconds: float
    """Of each step: collectives that nothing hides."""
    waiting_seconds: float
    """Of each step: the critical rank, which is the one whose ledger the report shows, waits for slower ones."""
    all_waiting_seconds: float
    """What an average rank waits for the slowest."""
    critical_rank: int
    """The one that waits least for the others."""
    bytes_per_step: int
    """Of all collectives, on one rank."""
    ceiling_seconds: float | None
    """What they would take at the link's ceiling, one after the other. None: the link was not measured."""
    link_share: float | None
    """The same, as a share of the step: how busy the link is."""
    clock_offset_seconds: float
    """The most by which two ranks' clocks lie apart."""
    collectives: list[Exchanged]
    """The largest first."""
