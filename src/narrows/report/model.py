"""The report: what every face shows and what `--json` writes (`narrows.report/1`).

Times are seconds, memory is bytes, shares are from 0 to 1. A field that does not apply is None, never absent.
Adding a field is fine; changing what one means is a new schema number.
"""

from typing import Literal

import msgspec

from narrows.report.capacity import Capacity, Memory, OutOfMemory
from narrows.report.parallel import Communication, Fate, Forecast
from narrows.report.record import Basis, Record

SCHEMA = "narrows.report/1"

Cause = Literal["input", "transfer", "communication", "host", "overhead", "bandwidth", "compute", "unexplained"]
CAUSES: tuple[Cause, ...] = (
    "input", "transfer", "communication", "host", "overhead", "bandwidth", "compute", "unexplained",
)  # fmt: skip
PHASES = ("input", "transfer", "forward", "loss", "backward", "optimizer", "other")
Ended = Literal["ok", "error", "signal", "out_of_memory", "stopped", "interrupted"]


class Framework(Record, frozen=True, kw_only=True):
    name: str
    version: str


class Job(Record, frozen=True, kw_only=True):
    command: list[str]
    """As typed, with values that look like secrets masked."""
    type: Literal["training", "inference", "none"]
    framework: Framework | None
    ended: Ended
    exit_code: int
    error: str | None
    """The last line of the job's own exception, or the name of the signal that ended it."""
    ranks: int
    wall_seconds: float


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


class Ceilings(Record, frozen=True, kw_only=True):
    """Measured limits of this machine, with the job's number of threads."""

    flops: dict[str, float]
    """Operations per second of a matrix product, by dtype."""
    convolution: dict[str, float]
    """Operations per second of a convolution, by dtype."""
    bandwidth: float
    """Bytes per second of a copy (read + written) too large for the caches."""
    bandwidth_by_size: list[tuple[int, float]]
    """(working set in bytes, bytes per second): the caches are faster than memory."""
    read_bandwidth: float
    dispatch_seconds: float
    """Fixed cost of one small op, called from Python."""
    page_touch_seconds: float
    """Of the first touch of a page that the kernel has to find and clear, beyond writing it."""
    page_release_seconds: float
    """Of giving it back."""
    host_to_device: dict[str, float] | None
    """Bytes per second, `pinned` and `pageable`; None without a device."""
    device_to_host: dict[str, float] | None
    disk_read: float | None
    collective: dict[str, Link] | None
    """`all-reduce`, `all-gather`, `reduce-scatter` and `point-to-point` between so many processes of this machine as the
    job has; None for a job of one process, or of several machines."""


class Machine(Record, frozen=True, kw_only=True):
    cpu: str
    cores: int
    memory_bytes: int
    devices: list[str]
    ceilings: Ceilings | None


class Latency(Record, frozen=True, kw_only=True):
    p50: float
    p95: float
    p99: float


class Step(Record, frozen=True, kw_only=True):
    unit: str
    """What one step is: "optimizer step", "turn of 2 optimizers", "model call"."""
    count: int
    """Steps seen in all."""
    steady_count: int
    """Undisturbed steps of the steady state: what the median is over."""
    median_seconds: float
    ci95_seconds: tuple[float, float]
    block: int
    """Consecutive steps that are averaged before the median is taken. 1, unless time comes in bursts (a queue
    of workers that runs dry, a rollout every 16 updates), when a plain median would not see them."""
    startup_seconds: float
    samples_per_second: float | None
    latency: Latency | None
    """Inference only."""


class Row(Record, frozen=True, kw_only=True):
    cause: Cause
    seconds: float
    share: float
    floor_seconds: float
    basis: Basis


class Limit(Record, frozen=True, kw_only=True):
    same_ops_seconds: float
    ideal_seconds: float
    distance: float
    """Measured step / same_ops_seconds."""


class Verdict(Record, frozen=True, kw_only=True):
    cause: Cause
    share: float
    sentence: str


class Finding(Record, frozen=True, kw_only=True):
    id: str
    title: str
    cause: Cause | None
    """None for a finding that costs learning rather than time (a gradient that vanishes)."""
    seconds: float
    """Of each step: what removing it would save at most."""
    basis: Basis
    where: str | None
    """`train.py:41`, a place in the user's own source."""
    evidence: str
    advice: str
    remedies: list[str]


class GradientNorm(Record, frozen=True, kw_only=True):
    first: float | None
    last: float | None


class Health(Record, frozen=True, kw_only=True):
    loss_first: float | None
    loss_last: float | None
    gradient_norm: GradientNorm | None


class Part(Record, frozen=True, kw_only=True):
    """A stretch of the job's wall time: start-up, steady steps, evaluation, after the last step."""

    name: str
    seconds: float


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


class Proof(Record, frozen=True, kw_only=True):
    """A counterfactual that was run: the step without this cause, in pairs with the step as it is."""

    cause: Cause
    what: str
    saved_seconds: float
    ci95_seconds: tuple[float, float]
    pairs: int


class Trial(Record, frozen=True, kw_only=True):
    """A remedy that was tried: fresh processes with and without it, interleaved."""

    remedy: str
    value: bool | int | str
    kind: Literal["exact", "numerics", "memory", "training"]
    """Its class: what it may change."""
    title: str
    predicted_seconds: float
    """What the ledger said it should save of a step."""
    speedup: float | None
    """Step before / step after; None if there was no pair of runs."""
    ci95: tuple[float, float] | None
    """None: too few pairs for an interval."""
    pairs: int
    parity: str | None
    """`same`, `chance` (within the variation from seed to seed), `unknown`, `differs`, `not finite`, `stalled`."""
    difference: float | None
    """Relative, of the losses or answers that were compared."""
    memory_ratio: float | None
    kept: bool
    why: str
    """`kept`, or why not: `no gain`, `parity`, `memory`, `not applied`, `beside`, `budget`, `shield` ..."""
    detail: str
    by_hand: str
    """The lines that would do the same in the script."""


class Room(Record, frozen=True, kw_only=True):
    """Resident memory of the job (of a device, where it has one), in bytes, and what it may take."""

    limit_bytes: int | None
    """None: no limit was given, so nothing is kept for the room that it makes."""
    before_bytes: int
    after_bytes: int
    """The peak with what is kept."""
    least_bytes: int | None
    """The lowest peak that was reached, where even that does not fit."""
    fits: bool | None


class Outcome(Record, frozen=True, kw_only=True):
    """What the kept remedies do together, measured afresh against the original."""

    remedies: list[str]
    speedup: float | None
    ci95: tuple[float, float] | None
    pairs: int
    parity: str | None
    path: str | None
    """The recipe's file; None if none was written."""
    patch: str | None
    """A unified diff against the user's own files; None if no kept remedy could be put into them safely."""
    step_seconds: float | None
    """Of the job with the recipe, looked at as deeply as the original was."""
    ledger: list[Row] | None
    room: Room | None = None
    """Where remedies of class `memory` were asked for."""


class OpCost(Record, frozen=True, kw_only=True):
    """The ops that take most of a step."""

    name: str
    phase: str
    calls: float
    """Per step."""
    seconds: float
    flops: float
    bytes: float
    bound: Literal["compute", "bandwidth", "overhead"]


class Measurement(Record, frozen=True, kw_only=True):
    probe_share: float
    """Estimated share of the undisturbed step that is narrows' own."""
    deep_steps: int
    classed_by_shape: float | None
    """Share of the ops' time whose flops and bytes came from a formula for that op."""
    warnings: list[str]


class Report(Record, frozen=True, kw_only=True):
    schema: str = SCHEMA
    id: str
    created: str
    kind: Literal["diagnose", "optimize", "fit"]
    job: Job
    machine: Machine
    step: Step | None
    phases: dict[str, float] | None
    """Seconds of a step, by `PHASES`."""
    ledger: list[Row] | None
    limit: Limit | None
    verdict: Verdict | None
    findings: list[Finding]
    memory: Memory | None
    health: Health | None
    measurement: Measurement
    wall: list[Part]
    ranks: list[Rank] | None
    """One for each process of a distributed job."""
    communication: Communication | None = None
    """Of a job of several ranks that step together."""
    fates: list[Fate] | None = None
    """Of a distributed job that did not go well: how each of its ranks ended."""
    proofs: list[Proof]
    ops: list[OpCost]
    trials: list[Trial] | None = None
    """Of `optimize`."""
    recipe: Outcome | None = None
    out_of_memory: OutOfMemory | None = None
    """Only of a job that ended so."""
    capacity: Capacity | None = None
    """Of `fit`."""
    forecast: Forecast | None = None
    """Of `narrows report RUN --forecast`."""


def encode(report: Report) -> bytes:
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def decode(text: bytes) -> Report:
    """Read a report. Raises `ValueError` in one sentence if it is not one."""
    try:
        report = msgspec.json.decode(text, type=Report)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a narrows report: {error}") from None
    if report.schema != SCHEMA:
        raise ValueError(f"this report has schema {report.schema}, and this narrows reads {SCHEMA}")
    return report
