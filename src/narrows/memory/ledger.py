"""Who holds the memory at the peak of a step. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from narrows.memory.stream import BUFFER, GRADIENT, PARAMETER, STATE, Storage, Stream
from narrows.spool.record import Process

TENSORS = (
    "parameters", "gradients", "optimizer", "activations", "temporaries", "inside", "cache", "input", "held",
    "communication",
)  # fmt: skip
"""Parts that are the framework's. `inside`: what one op takes for itself while it runs; `cache`: keys and values that a
generation keeps (`cache.py`); `held`: what the script keeps: data, copies of the model."""
PROCESS = ("waste", "framework", "files", "own")
"""The rest of the process. `waste`: what the allocator holds and no tensor has; `files`: pages of files, mostly the
libraries' code, which the kernel can take back; `own`: what narrows' bookkeeping took."""
_FEEDS = ("next", "iter", "prepare", "tail")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a module, and a line, holds at the peak."""

    module: str
    where: str
    op: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Ledger:
    parts: dict[str, int]
    """Bytes by `TENSORS` and `PROCESS`; they sum to the peak."""
    activations: tuple[Held, ...]
    temporaries: tuple[Held, ...]
    models: dict[int, int]
    """Bytes of parameters by model."""

    @property
    def tensors(self) -> int:
        return sum(self.parts[name] for name in TENSORS)

    @property
    def peak(self) -> int:
        return sum(self.parts.values())

    @property
    def needed(self) -> int:
        """What has to be there: all but what the kernel can take back, and what a run without narrows does not hold."""
        return self.peak - self.parts["files"] - self.parts["own"]


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What a process takes beside its tensors, in bytes."""

    framework: int = 0
    files: int = 0
    own: int = 0
    resident_peak: int = 0
    """Of the whole process in its steps; 0 if it is not known."""
    start: int = 0
    """Of the whole process before the first of them, without files; 0 if it is not known."""

    def waste(self, tensors: int) -> int:
        """What is left of the peak beside so many bytes of tensors."""
        return max(0, self.resident_peak - tensors - self.framework - self.files - self.own)


def ledger(stream: Stream, rest: Rest, cache: Collection[int] = ()) -> Ledger:
    """`cache`: storages that are one."""
    at = stream.peak[1]
    alive = stream.alive(at)
    part = {**_parts(stream, at), **dict.fromkeys(cache, "cache")}
    parts = dict.fromkeys((*TENSORS, *PROCESS), 0)
    for n in alive:
        parts[part[n]] += stream.storages[n].bytes
    parts["inside"] = stream.inside.get(at, 0)
    tensors = sum(parts.values())
    parts["framework"], parts["files"], parts["own"] = rest.framework, rest.files, rest.own
    parts["waste"] = rest.waste(tensors)
    storages = [(n, stream.storages[n]) for n in alive]
    models: dict[int, int] = {}
    for _, storage in storages:
        if storage.kind == PARAMETER and storage.model is not None:
            models[storage.model] = models.get(storage.model, 0) + storage.bytes
    return Ledger(
        parts=parts,
        activations=_grouped(storage for n, storage in storages if part[n] == "activations"),
        temporaries=_grouped(storage for n, storage in storages if part[n] == "temporaries"),
        models=models,
    )


def _parts(stream: Stream, at: int) -> dict[int, str]:
    """The part of each storage that is alive after `at` events."""
    born: dict[int, int] = {}
    gone: dict[int, int] = {}
    backwards: list[int] = []
    """Where storages are made in a backward pass."""
    for index, event in enumerate(stream.events):
        if event < 0:
            gone[-event - 1] = index
        else:
            born[event] = index
            if stream.storages[event].site.state in ("backward", "wait"):
                backwards.append(index)
    end = len(stream.events)

    def kept(n: int) -> bool:
        """For a backward pass; without one, for the next call."""
        later = bisect_right(backwards, born.get(n, -1))
        return gone.get(n, end) >= (backwards[later] if later < len(backwards) else end)

    return {n: _part(stream.storages[n], fresh=n in born, kept=kept(n)) for n in stream.alive(at)}


def _part(storage: Storage, *, fresh: bool, kept: bool) -> str:
    known = {PARAMETER: "parameters", BUFFER: "parameters", GRADIENT: "gradients", STATE: "optimizer"}
    site = storage.site
    if storage.kind in known:
        return known[storage.kind]
    if site.collective:
        return "communication"
    if not site.module and (site.state in _FEEDS or (site.state != "backward" and not site.op)):
        return "input" if fresh or site.state in ("next", "iter", "prepare") else "held"
    if site.state in ("forward", "loss", "evaluate") or site.module:
        # In a backward pass with modules, they are being computed again.
        return "activations" if kept or site.state == "backward" else "temporaries"
    return "temporaries" if fresh else "held"


def _grouped(storages: Iterable[Storage]) -> tuple[Held, ...]:
    """By module, line and op, the largest first."""
    sums: dict[tuple[str, str, str], int] = {}
    for storage in storages:
        key = (storage.site.module, storage.site.where, storage.site.op)
        sums[key] = sums.get(key, 0) + storage.bytes
    made = (Held(module=m, where=w, op=o, bytes=size) for (m, w, o), size in sums.items())
    return tuple(sorted(made, key=lambda held: -held.bytes))


def taken(process: Process, calls: int = 0, *, device: bool = False) -> int:
    """The most that a process that was left alone took, in so many model calls (0: in all), of the machine's memory or
    of the device's; 0 if it is not known."""
    ends = process.events.get("plain_step", ())
    if device:
        ends = tuple(e for e in ends if e.get("total"))
        return max((_used(e) for e in ends[: calls or len(ends)]), default=0)
    return max((int(e["resident_peak"]) for e in ends[: calls or len(ends)]), default=0)


def started(process: Process) -> int:
    """The most that a process that was left alone took before its first model call, without pages of files."""
    return max((int(e.get("before", 0)) for e in process.events.get("plain_step", ())), default=0)


def rest(process: Process, *, device: bool = False) -> Rest:
    """What the process took beside its tensors, from the ends of its steps; `device`: of the device's memory."""
    # The step in which the allocator was watched is not the job's own.
    ends = [e for e in process.events.get("memory_step", ()) if e.get("resident") and not e["watched"]]
    if device:
        ends = [e for e in ends if e.get("total")]
    if not ends:
        return Rest()
    late = ends[len(ends) // 2 :]
    if device:
        # The driver's context, and the code of kernels: what is in use and the allocator has not reserved.
        context = min(e["used"] - e["reserved"] for e in late)
        return Rest(framework=max(0, context), resident_peak=max(map(_used, ends)))
    files = late[-1].get("files", 0)
    own = late[-1]["own"]
    # At the end of a step: what neither tensors nor free pieces of the heap account for.
    quiet = min(e["resident"] - e["live"] - e["free"] for e in late)
    return Rest(
        framework=max(0, quiet - files - own), files=files, own=own, resident_peak=max(e["resident_peak"] for e in late)
    )


def device_bytes(process: Process) -> int:
    """Of the device's memory in all; 0 if none was in use."""
    return max((int(end.get("total") or 0) for end in ends(process)), default=0)


def ends(process: Process) -> list[Mapping[str, Any]]:
    """Of its steps, and of the calls of a job that does not train, whether its tensors were followed or it was left alone."""
    return [*process.events.get("memory_step", ()), *process.events.get("plain_step", ())]


def _used(end: Mapping[str, Any]) -> int:
    """Of a device, at the peak of a step."""
    return int(end["used"] - end["reserved"] + end["reserved_peak"])
