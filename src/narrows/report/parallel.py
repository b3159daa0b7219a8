"""What a report says of a job of several ranks: what they exchange, how each ended, and what more of them would do."""

from typing import Literal

from narrows.report.record import Record


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


class Fate(Record, frozen=True, kw_only=True):
    """How one rank of a job ended."""

    rank: int
    attempt: int
    """0, and one more for each time that the launcher started the ranks again."""
    steps: int
    """That were done."""
    how: Literal["finished", "stopped", "failed", "lost", "killed", "exit", "stood", "ended"]
    """By itself, as asked, by an error of its own, by one that says that another rank is gone, by a signal that the launcher
    saw, with an exit code (which is `error`), ended while it had not moved for seconds, with the others."""
    signal: str | None
    error: str | None
    state: str | None
    """Of the main thread, where it had not moved."""
    where: str | None
    """`train.py:41`, the innermost line of the user's own code."""


class Ahead(Record, frozen=True, kw_only=True):
    """A step on so many ranks, as modelled."""

    ranks: int
    scaling: Literal["weak", "strong"]
    """weak: each rank has as many samples as in the run of several; strong: all together have those of the one process."""
    model: Literal["ring", "tree"]
    step_seconds: float
    communication_seconds: float
    """Of it."""
    efficiency: float
    """Samples per second of a rank, over those of one process with as many samples in a step."""
    speedup: float
    """Samples per second of all ranks, over those of the one process."""


LinkFrom = Literal["given", "measured", "seen"]


class Forecast(Record, frozen=True, kw_only=True):
    """What a step would take on more ranks, and what that rests on."""

    rows: list[Ahead]
    ranks_seen: int
    ranks_per_machine: int
    part: float
    """Samples of a step on each rank that was seen, over those of the one process."""
    bytes: int
    """Exchanged in each step."""
    buckets: int
    link: LinkFrom
    """`seen`: the ceiling of collectives is not known, so all that the ranks exchanged counts as what the link can do."""
    latency_seconds: float
    """Of one message between two ranks."""
    bandwidth: float
    """Bytes per second, of the same."""
    hidden_seconds: float
    """Of the exchange that was seen, during the backward."""
    link_factor: float
    """How much longer the exchange that was seen took than its model."""
    crowding: float
    """How much slower a rank works beside those of its machine than alone."""
    spread_seconds: float
    """Standard deviation of a rank's work on a step, beside that of the others."""
    busy_seconds: float
    """For which a step of a rank that was seen kept cores busy, with all of its threads."""
    cores: int
    """Of each machine."""
