"""What a report says of memory: who holds it, what fits, and how a job ran out of it."""

from typing import Literal

import msgspec

from narrows.report.record import Basis, Record

LimitKind = Literal["address_space", "data", "cgroup", "machine", "device"]
FitKind = Literal["asked", LimitKind]


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
    times: list[Timed] = msgspec.field(default_factory=list)


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
    """That one process of the job may have."""
    limit_kind: FitKind
    limit_ranks: int = 1
    """Ranks of the job that share what there is: then the limit is the share of one."""
    peak_bytes: int
    needed_bytes: int
    """The peak without what the kernel can take back and what narrows itself holds."""
    start_bytes: int = 0
    """What is needed before the first step, where that is more than any step needs; else 0."""
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
