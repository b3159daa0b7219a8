"""The report: what every face shows and what `--json` writes (`narrows.report/1`).

Times are seconds, memory is bytes, shares are from 0 to 1. A field that does not apply is None, never absent.
Adding a field is fine; changing what one means is a new schema number.
"""

from typing import Literal

import msgspec

SCHEMA = "narrows.report/1"

Cause = Literal["input", "transfer", "communication", "host", "overhead", "bandwidth", "compute", "unexplained"]
CAUSES: tuple[Cause, ...] = (
    "input", "transfer", "communication", "host", "overhead", "bandwidth", "compute", "unexplained",
)  # fmt: skip
PHASES = ("input", "transfer", "forward", "loss", "backward", "optimizer", "other")
Basis = Literal["measured", "modelled"]
Ended = Literal["ok", "error", "signal", "out_of_memory", "stopped", "interrupted"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every part of a report is: immutable, its fields named where it is made."""


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


class Timed(Record, frozen=True, kw_only=True):
    """A step of the job at another size."""

    size: int
    seconds: float
    interval: tuple[float, float] | None
    """95%; None: too few rounds. Of what is modelled: of the noise, if it is a constant, a part that grows evenly and one
    that grows with the square."""
    basis: Basis
    """`measured`: the job was timed at that size, with nothing followed."""


class Scaling(Record, frozen=True, kw_only=True):
    """How memory, and time where it was asked for, go with the batch, or with the length of the sequences."""

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
    exponent_basis: Basis | None = None
    """`modelled`: from traces, which have no noise and so no interval; `measured`: from one real run at each size."""
    exponent_interval: tuple[float, float] | None = None
    """95%, of the same power in repeated real runs at the sizes of `times`, of the peak of the process left alone; None:
    there were none, or too few, or it did not grow in each of them."""
    predicted: list[Predicted]
    time_exponent: float | None = None
    """A step takes as long as this power of the size, over the sizes at which it was timed; None: it was not timed."""
    time_exponent_interval: tuple[float, float] | None = None
    """95%; None: too few rounds. Where it has 0 in it, time was not seen to depend on the size."""
    times: list[Timed] = []


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
