"""The records of a spool: what one process of the job wrote down.

Times are nanoseconds of the monotonic clock, which all processes of one machine share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The states the main thread can be in. A `gap` is the time after something: user code, or a trainer's.
# `probe/state.py` writes these numbers and may not import this file; tests/spool compares the two.
STATES = (
    "tail",  # gap: after an optimizer update (or before anything)
    "next",  # DataLoader.__next__
    "prepare",  # gap: after a batch came
    "forward",  # outermost model call
    "loss",  # gap: after a forward
    "backward",
    "post",  # gap: after a backward, before the update (clipping)
    "optimizer",
    "transfer",
    "communication",
    "iter",  # DataLoader.__iter__: workers start here
    "evaluate",  # outermost model call without gradients, in a job that trains
    "save",  # torch.save
    "wait",  # last gradient ready -> backward returns; a collective from within a model call: what nothing hides
    "graph",  # one call that does a whole step (`tf.function`, Keras' train function), as far as no other state is in it
    "trainer",  # Keras' own Python in `fit`, `evaluate` and `predict`
    "callback",  # callbacks of `fit` that the user asked for
)
GAPS = ("tail", "prepare", "loss", "post")
WAITS = ("wait", "communication")
"""In which a rank waits for others."""

TENSORFLOW = "tf::"
"""The library that its ops' names begin with."""
XLA = "xla::"
"""The same of programs that were compiled as a whole."""
UPDATE, CALL = 0, 1
"""Kinds of boundary: an optimizer's update, an outermost model call."""


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """The time since the boundary before it, by state."""

    end_ns: int
    kind: int
    who: int
    """Index of the optimizer or the model."""
    disturbed: bool
    """A deep window (or a look at the gradients) was open: not a clean time."""
    light: bool
    """Only its end is known: all of its time stands under `tail`."""
    gradients: bool
    """A model call recorded an autograd graph."""
    training: bool
    """The model was in train mode."""
    samples: int
    forwards: int
    backwards: int
    batches: int
    ns: tuple[int, ...]
    """By `STATES`."""

    @property
    def duration_ns(self) -> int:
        return sum(self.ns)


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor argument, by what its cost depends on."""

    shape: tuple[int, ...]
    dtype: str
    """torch's name without the prefix: `float32`."""
    layout: str
    """`c` contiguous, `l` channels last, `n` neither (strided, transposed, broadcast), `s` sparse."""

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def bytes(self) -> int:
        return self.elements * ITEM_BYTES.get(self.dtype, 4)


ITEM_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1,
    "uint8": 1, "bool": 1, "complex64": 8, "complex128": 16, "float8_e4m3fn": 1, "float8_e5m2": 1,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Op:
    """One kind of call (same op, same argument shapes, same place) in the deep windows."""

    name: str
    """`addmm`, `_foreach_add_`, `convolution_backward`: aten's name; other libraries keep `library::name`."""
    overload: str
    arguments: tuple[Any, ...]
    """`Tensor`, tuple (of tensors, ints ...), int, float, bool, str or None, as the op was called."""
    keywords: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Any, ...] = ()
    state: str
    """One of `STATES`: when in the step."""
    where: tuple[str, int] | None = None
    """File and line of the frame that stays on the stack (the training loop), for ops in gaps."""
    count: int
    """Calls, over all deep steps."""
    ns: int
    """Time inside the op, over all of them."""
    fastest_ns: int
    raw: Any = None
    """As the probe wrote it, for calling the op again at its smallest size."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Time that the main thread spent at one source line, while in a gap (or inside the loader, for `next`)."""

    file: str
    function: str
    first_line: int
    """Where that function's code starts."""
    line: int
    state: str
    hits: int
    ns: int
    role: str
    """`loop`: a frame on the stack whenever the model is called; `fetch`: one on the stack only when the loader is
    asked; `callback`: user code that a trainer called; `sample`: user code that the loader ran."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A few steps looked at in depth."""

    kind: str
    """`ops` or `lines`"""
    end_ns: int
    steps: int
    """Boundaries while it was open."""
    ns_by_state: tuple[int, ...]
    ops: tuple[Op, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process of the job. `events` are the JSON lines it wrote, by kind: `job.spool.event` in `probe/` is where each is made."""

    pid: int
    parent: int
    rank: int
    ranks: int
    start_ns: int
    boundaries: tuple[Boundary, ...]
    windows: tuple[Window, ...]
    events: Mapping[str, tuple[Mapping[str, Any], ...]]
    cut_off: bool = False
    """The last line of the spool was incomplete: the process died while writing."""
    lost: int = 0
    """Boundaries that were counted and could not be written down."""

    def first(self, kind: str) -> Mapping[str, Any]:
        """The first event of that kind, or an empty mapping."""
        found = self.events.get(kind, ())
        return found[0] if found else {}

    @property
    def threads(self) -> int | None:
        """Threads that its ops have; None if that is not known."""
        found = self.last("torch") or self.last("tensorflow")
        return int(found.get("threads") or 0) or None

    @property
    def cuda(self) -> bool:
        """It used CUDA, and not only could have."""
        return bool(self.last("torch").get("cuda"))

    def sites(self) -> list[tuple[str, str, int, int, int]]:
        """(file, function, its first line, line, bits) of the frames that the loop's calls were made from."""
        return [tuple(site) for event in self.events.get("sites", ()) for site in event["sites"]]

    def last(self, kind: str) -> Mapping[str, Any]:
        found = self.events.get(kind, ())
        return found[-1] if found else {}
