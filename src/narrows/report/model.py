"""The report: what every face shows and what `--json` writes (`narrows.report/1`).

Times are seconds, memory is bytes, shares are from 0 to 1. A field that does not apply is None, never absent.
Adding a field is fine; changing what one means is a new schema number.
"""

from typing import Literal

import msgspec

from narrows.report.exchange import Communication as Communication
from narrows.report.exchange import Exchanged as Exchanged
from narrows.report.exchange import Link as Link
from narrows.report.exchange import Rank as Rank
from narrows.report.record import CAUSES as CAUSES
from narrows.report.record import Basis as Basis
from narrows.report.record import Cause as Cause
from narrows.report.record import Record as Record
from narrows.report.record import Row as Row

SCHEMA = "narrows.report/1"

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


class MemoryParts(Record, frozen=True, kw_only=True):
    parameters: int
    gradients: int
    optimizer: int
    activations: int | None
    input: int
    other: int


class Memory(Record, frozen=True, kw_only=True):
    peak_bytes: int
    available_bytes: int
    parts: MemoryParts | None


LimitKind = Literal["address_space", "data", "cgroup", "machine", "device"]


class OutOfMemory(Record, frozen=True, kw_only=True):
    """How a job ended that ran out of memory."""

    asked_bytes: int | None
    where: str | None
    """`train.py:41`, the innermost line of the user's own code."""
    what: str | None
    """The text of that line."""
    op: str | None
    """What that line called and which then asked, as `torch.nn.functional.linear`; None if it was the line itself."""
    state: str | None
    """`next` (a batch), `forward`, `loss`, `backward` or `optimizer`."""
    limit_bytes: int | None
    limit_kind: LimitKind | None
    held_bytes: int | None
    """In use at that moment, of what the limit is of; of a job that was killed, the most that it was seen with."""
    idle_bytes: int | None
    """Of a device: what torch's allocator held and could not use for this."""
    parts: MemoryParts | None
    """Who held it."""
    missed_bytes: int | None
    """How much more would have been needed at that moment, at most."""
    killed: bool
    """By the kernel: nobody was told what was asked for, or where."""
    updates: int
    """Optimizer updates that were done."""
    message: str | None


class Held(Record, frozen=True, kw_only=True):
    """A part of the memory at the peak of a step, or of what a module and a line hold of one."""

    name: str
    """Of a part: parameters, gradients, optimizer, activations, temporaries, inside (what one op takes for itself),
    cache (keys and values that a generation keeps), input, held (by the script), communication, waste, framework, files,
    own. Of a module: its path."""
    bytes: int
    where: str | None = None
    """`train.py:41`, the line that made it."""
    op: str | None = None


class Predicted(Record, frozen=True, kw_only=True):
    """The job at another size."""

    size: int
    peak_bytes: int
    needed_bytes: int
    """The peak without what the kernel can take back."""
    fits: bool
    basis: Basis
    """`measured`: the job was run at that size, with nothing followed."""


class Scaling(Record, frozen=True, kw_only=True):
    """How memory goes with the batch, or with the length of the sequences."""

    name: str
    """Where it comes from: `DataLoader`, `--batch-size`, a name in the script."""
    now: int
    dataset: int | None
    """Samples of an epoch, where that is known: no batch is larger."""
    largest: int | None
    """That fits; None: not even one does."""
    asked: int | None = None
    """The size that the user asked about, which is among those predicted."""
    exponent: float | None = None
    """What depends on the size grows with this power of it, from the present size on; None: nothing does."""
    predicted: list[Predicted]


class Cache(Record, frozen=True, kw_only=True):
    """What a generation keeps from one model call to the next."""

    bytes: int
    """At the peak."""
    bytes_per_call: int
    """By which it grows, a call being a token or more; 0: there is room for all of it from the start."""
    calls: int
    """Of the longest generation that was seen, the one that reads the prompt included."""
    largest: int | None
    """Calls of a generation that fit, as modelled; None: it does not grow."""


class Way(Record, frozen=True, kw_only=True):
    """A remedy, and what the job would need with it."""

    remedy: str
    value: bool | int | str
    kind: Literal["exact", "numerics", "memory", "training"]
    title: str
    needed_bytes: int
    fits: bool
    time: float | None
    """Of a step with it, over that without, at the job's own size, measured in turns; None if it could not be run."""
    by_hand: str


class Together(Record, frozen=True, kw_only=True):
    """The cheapest remedies with which the job fits, or else the least that was found."""

    ways: list[str]
    """As `REMEDY` or `REMEDY=VALUE`."""
    needed_bytes: int
    fits: bool
    time: float | None
    """As `Way.time`, of all together."""


class OtherOptimizer(Record, frozen=True, kw_only=True):
    """What the job would need with another optimizer, as modelled."""

    name: str
    needed_bytes: int
    fits: bool


class Shard(Record, frozen=True, kw_only=True):
    """What each of several ranks would need, as modelled."""

    strategy: Literal["ddp", "zero-1", "zero-2", "fsdp"]
    ranks: int
    needed_bytes: int
    fits: bool


class Leaked(Record, frozen=True, kw_only=True):
    """Memory that grows from step to step."""

    bytes_per_step: float
    count_per_step: float
    made_at: str
    held_by: str | None
    held_at: str | None
    graph: bool
    """It is a graph that is kept, not only its numbers."""


class Capacity(Record, frozen=True, kw_only=True):
    """Who holds the memory, whether it is enough, and what would make it so."""

    limit_bytes: int
    limit_kind: Literal["asked", "address_space", "data", "cgroup", "machine", "device"]
    peak_bytes: int
    needed_bytes: int
    """The peak without what the kernel can take back and what narrows itself holds."""
    fits: bool
    basis: Basis
    """`modelled`: the job itself could not be run here."""
    parts: list[Held]
    """They sum to the peak."""
    curve: list[tuple[float, int]]
    """(share of the step's allocations, bytes of tensors)."""
    activations: list[Held]
    temporaries: list[Held]
    models: list[Held]
    """Parameters by model."""
    traced: bool
    """Other sizes were traced without numbers; False: they were run."""
    traced_off: float | None
    """How far the trace lies from the real run at the same size, as a share of the tensors' peak."""
    batch: Scaling | None
    batch_missing: str | None
    """How it was looked for, if it was not found."""
    sequence: Scaling | None = None
    """None: the job has no length that is known."""
    cache: Cache | None = None
    """Of a generation."""
    ways: list[Way]
    """At the batch that was asked about, else at the job's own."""
    together: Together | None = None
    """None: it fits as it is, or nothing makes room."""
    optimizers: list[OtherOptimizer] = msgspec.field(default_factory=list)
    shards: list[Shard]
    leaks: list[Leaked]


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
    proofs: list[Proof]
    ops: list[OpCost]
    trials: list[Trial] | None = None
    """Of `optimize`."""
    recipe: Outcome | None = None
    out_of_memory: OutOfMemory | None = None
    """Only of a job that ended so."""
    capacity: Capacity | None = None
    """Of `fit`."""


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
