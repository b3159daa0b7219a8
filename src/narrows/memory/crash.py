"""After a job ran out of memory: what was asked for, where, who held the rest, and by how much it missed. In bytes."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from narrows.job.facts import Facts
from narrows.report.capacity import LimitKind, MemoryParts, OutOfMemory
from narrows.spool.place import place
from narrows.spool.record import UPDATE, Process

SIZE = r"([\d.]+) ?(bytes|B|[KMGTP]i?B)\b"
UNITS = {"b": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50}
ITEM = {"bool": 1, "object": 8}
SECOND_TRY = 64 << 20
"""Bytes of addresses that glibc's malloc keeps of twice as many, which it takes when it was refused, to try again: where
the peak of a process is that much above what it has, that is where it comes from."""
NEAR = 16 << 20
"""What else may be gone by then: the stack of a thread that ended is 8 MiB."""
WORKER = re.compile(r"DataLoader worker \(pid.*\) (is killed by signal: Killed|exited unexpectedly)")
"""What torch's loader says when a worker was killed."""
STATES = (
    ("torch.optim.", "optimizer"), ("torch.autograd.backward", "backward"), ("torch.autograd.grad", "backward"),
    ("torch.utils.data.", "next"), ("torch.nn.modules.loss.", "loss"), ("torch.nn.modules.module.", "forward"),
)  # fmt: skip
"""What a frame's name begins with, and the state that the job is in below it."""

PLUMBING = (
    "torch._ops.", "torch.utils._", "torch.autograd.", "torch._tensor.Tensor.backward", "torch._compile.", "torch._dynamo.",
)  # fmt: skip
"""Frames below which an op is called: they say nothing of which."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A limit, and what was in use of it when the job ended."""

    kind: LimitKind
    bytes: int
    used: int | None
    most: int | None = None
    """The most that was ever in use."""
    grew: bool = False
    """That was after the job's first steps, so it belongs to what failed."""
    mine: int | None = None
    """In use by this process, where others use some too."""

    def missed(self, asked: int | None) -> tuple[int, int] | None:
        """(how much more was needed at most, what was in use). An error lets go of memory on its way out, so that what
        is in use afterwards may not explain it: then the most that was in use does. Of that, glibc's malloc may have
        taken up to 128 MiB to try once more."""
        for used in (self.most, self.used) if self.grew else (self.used, self.most):
            if asked is not None and used is not None and asked > self.bytes - used:
                return asked - (self.bytes - used), used
        return None


def out_of_memory(facts: Facts, processes: Sequence[Process]) -> OutOfMemory | None:
    """None for a job that did not end for want of memory: also for one that wanted it, and went on."""
    if facts.exit_code == 0 or facts.ended in ("ok", "stopped"):
        return None
    pids = {p.pid for p in processes}
    crashed = [p for p in processes if p.first("out_of_memory")]
    if crashed:
        return _told(max(crashed, key=lambda p: (p.parent not in pids, p.first("out_of_memory")["t"])), facts)
    if facts.ended == "out_of_memory" or _worker_killed(facts, processes):
        return _killed(facts, processes)
    return None


def _worker_killed(facts: Facts, processes: Sequence[Process]) -> bool:
    """The kernel killed a loader's worker, of which the job then died."""
    return facts.memory_kills > 0 and any(WORKER.search(p.last("end").get("error") or "") for p in processes)


def _told(process: Process, facts: Facts) -> OutOfMemory:
    """An error was raised, by this process or by a worker of which it only tells."""
    event = process.first("out_of_memory")
    text, frames = str(event["message"]), event.get("frames") or ()
    mine = "Traceback (most recent call last)" not in text
    asked = asked_bytes(text)
    user = max((i for i, frame in enumerate(frames) if frame[0] == "user"), default=-1)
    where = (frames[user][1], frames[user][2]) if user >= 0 else None
    inner = [f[3] for f in frames[user + 1 :] if f[0] in ("torch", "library") and not str(f[3]).startswith(PLUMBING)]
    looks = process.events.get("memory", ()) if mine else ()
    before = [e.get("peak_size") for e in looks if e["t"] < event["t"]]
    after = [e for e in looks if e["t"] >= event["t"]]
    grew = bool(before and before[-1] and (event.get("peak_size") or 0) > before[-1])
    limit = device_limit(text) or _nearest(event, asked, mine=mine, grew=grew)
    missed = limit.missed(asked) if limit else None
    held = limit.mine if limit and limit.mine is not None else missed[1] if missed else limit.used if limit else None
    lines = [line for line in text.splitlines() if line.strip()]
    return OutOfMemory(
        asked_bytes=asked,
        where=place(where if mine else _last_line(text) or where, facts.cwd),
        what=event.get("text") if mine else None,
        op=inner[-1] if inner and mine else None,
        state=_state(frames),
        limit_bytes=limit.bytes if limit else None,
        limit_kind=limit.kind if limit else None,
        held_bytes=held,
        idle_bytes=_size(SIZE + " is reserved by PyTorch but unallocated", text),
        parts=_parts(process, after[-1], limit, held) if after else None,
        missed_bytes=missed[0] if missed else None,
        killed=False,
        updates=_updates(process),
        message=lines[0 if mine else -1][:500] if lines else event.get("type"),
    )


def _killed(facts: Facts, processes: Sequence[Process]) -> OutOfMemory:
    """The kernel ended it, and nobody was told: the last that is known."""

    def rank(p: Process) -> tuple[bool, bool, bool, int]:
        return bool(p.boundaries), bool(p.first("torch")), not p.first("end"), len(p.boundaries)

    process = max(processes, key=rank, default=None)
    known = process.last("limits") if process else {}
    look = process.last("memory") if process else {}
    group = known.get("group")
    total = int(known.get("total") or (facts.machine.memory_bytes if facts.machine else 0))
    limit = Reached(kind="cgroup" if group else "machine", bytes=group[0] if group else total, used=None)
    held = max(facts.peak_bytes, look.get("rss_peak") or 0) or None
    if group and held:  # what is shared with processes outside of the group is not counted in it
        held = min(held, limit.bytes)
    return OutOfMemory(
        asked_bytes=None, where=None, what=None, op=None, state=None, idle_bytes=None, missed_bytes=None, killed=True,
        limit_bytes=limit.bytes or None, limit_kind=limit.kind if limit.bytes else None, held_bytes=held,
        parts=_parts(process, look, limit, held) if process and look else None,
        updates=_updates(process) if process else 0,
        message=next((e for p in processes if (e := p.last("end").get("error"))), None),
    )  # fmt: skip


def asked_bytes(text: str) -> int | None:
    """How much was asked for, as the error says it; an array's size from its shape, which is exact."""
    if found := re.search(r"you tried to allocate (\d+) bytes", text):
        return int(found[1])
    if shape := re.search(r"array with shape \(([\d, ]*)\) and data type (\w+)", text):
        bits = re.fullmatch(r"(?:u?int|float|complex)(\d+)", shape[2])
        item = int(bits[1]) // 8 if bits else ITEM.get(shape[2], 0)
        if item:
            return item * math.prod(int(size) for size in re.findall(r"\d+", shape[1]))
    return _size(r"(?:Tried|Unable) to allocate " + SIZE, text)


def device_limit(text: str) -> Reached | None:
    """Of a message of torch's allocator for a device: all of it, or what this process may take of it."""
    taken = _size(SIZE + " is allocated by PyTorch", text)
    if (allowed := _size(SIZE + " allowed; ", text)) is not None and taken is not None:
        taken += _size(SIZE + " is reserved by PyTorch but unallocated", text) or 0
        if taken + (asked_bytes(text) or allowed) > allowed:
            return Reached(kind="device", bytes=allowed, used=taken)
    if (allowed := _size("max allowed: " + SIZE, text)) is not None:  # Apple's
        taken = (_size("MPS allocated: " + SIZE, text) or 0) + (_size("other allocations: " + SIZE, text) or 0)
        return Reached(kind="device", bytes=allowed, used=taken)
    total = _size(r"total capac?i?ty of " + SIZE, text) or _size(SIZE + " total capacity", text)
    free = _size(SIZE + r"(?: is)? free", text)
    used = total - free if total and free is not None else None
    mine = _size("this process has " + SIZE + " memory in use", text)
    return Reached(kind="device", bytes=total, used=used, mine=mine) if total else None


def _size(pattern: str, text: str) -> int | None:
    """Bytes, of the first place in a text where the pattern fits."""
    found = re.search(pattern, text)
    return round(float(found[1]) * (1 << UNITS[found[2][0]])) if found else None


def _nearest(event: Mapping[str, Any], asked: int | None, *, mine: bool, grew: bool) -> Reached | None:
    """The limit that what was asked for goes beyond; where none says so, the one that was nearest."""
    size, most, data = (event.get(name) if mine else None for name in ("size", "peak_size", "data"))
    if size and most and 0 <= most - size - SECOND_TRY <= NEAR:
        size = most = most - 2 * SECOND_TRY
    limits = []
    if event.get("limit_size") is not None:
        limits.append(Reached(kind="address_space", bytes=event["limit_size"], used=size, most=most, grew=grew))
    if event.get("limit_data") is not None:
        gone = max(0, most - size) if most and size else 0  # a peak of the addresses, most of which are data
        most_data = data + gone if data else None
        limits.append(Reached(kind="data", bytes=event["limit_data"], used=data, most=most_data, grew=grew))
    total, available = event.get("total"), event.get("available")
    machine = None
    if total and available is not None:
        machine = Reached(kind="machine", bytes=total, used=total - available, mine=event.get("rss") if mine else None)
    beyond = [(short, limit.kind, limit) for limit in limits if (short := limit.missed(asked)) is not None]
    if beyond:
        return max(beyond)[2]
    if machine is not None and (machine.missed(asked) or (asked is None and not limits)):
        return machine
    return min(limits, key=lambda limit: limit.bytes - (limit.used or 0), default=None)


def _state(frames: Sequence[Sequence[Any]]) -> str | None:
    """One of the spool's states. What a backward computes again is backward."""
    state = None
    for frame in frames:
        for begins, name in STATES:
            if str(frame[3]).startswith(begins) and state != "backward":
                state = name
    return state


def _last_line(text: str) -> tuple[str, int] | None:
    """The innermost line outside of libraries, in a traceback that is part of a message."""
    lines = re.findall(r'File "([^"]+)", line (\d+), in ', text)
    own = [
        (file, int(line))
        for file, line in lines
        if not re.search(r"(site|dist)-packages|lib/python3|narrows/probe/", file)
    ]
    return own[-1] if own else None


def _parts(process: Process, look: Mapping[str, Any], limit: Reached | None, held: int | None) -> MemoryParts | None:
    """Who held it; None where what the model holds is on a device, and the limit is the host's."""
    if look.get("device_peak") and (limit is None or limit.kind != "device"):
        return None
    named = {name: int(look.get(name) or 0) for name in ("parameters", "gradients", "optimizer")}
    batch = int(process.last("values").get("input_bytes") or 0)
    rest = max(0, (held or 0) - sum(named.values()) - batch)
    return MemoryParts(**named, activations=None, input=batch, other=rest)


def _updates(process: Process) -> int:
    return sum(mark.kind == UPDATE for mark in process.boundaries)
