"""Reads a run's spool. A spool that was cut off gives what was written before the cut."""

import json
import statistics
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from narrows.spool.record import STATES, Boundary, Line, Op, Process, Tensor, Window

# The layout of `probe/spool.py`, which may not be imported from here (nor import this).
HEADER = struct.Struct("<8sIIQQQdQ")
RECORD = struct.Struct(f"<QHHIIHHHH{len(STATES)}Q")
MAGIC = b"narrows\0"
MOST_RECORDS = 400_000
"""A job with more boundaries is only counted on: that is no fault."""


def read(folder: Path) -> tuple[Process, ...]:
    """Every process that left a spool, in the order in which they began."""
    found = [_process(path) for path in sorted(folder.glob("*.jsonl"))]
    return tuple(sorted(found, key=lambda process: process.start_ns))


def progress(path: Path) -> tuple[int, int, float, int] | None:
    """(boundaries, last end in ns, last loss, steady steps) of a `.steps` file that is being written."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER.size)
        magic, _, _, _, boundaries, last, loss, steady = HEADER.unpack(header)
    except (OSError, struct.error):
        return None
    return (boundaries, last, loss, steady) if magic == MAGIC else None


def boundaries(path: Path) -> tuple[Boundary, ...]:
    """The step records of one process; none if the file is missing or is not one."""
    try:
        data = path.read_bytes()
        magic, _, size, records, *_ = HEADER.unpack_from(data)
    except (OSError, struct.error):
        return ()
    if magic != MAGIC or size != RECORD.size:
        return ()
    # The header is brought up to date now and then; a record counts when its end is not 0.
    most = (len(data) - HEADER.size) // size
    records = min(records, most)
    while records < most and data[HEADER.size + records * size : HEADER.size + records * size + 8] != bytes(8):
        records += 1
    found = []
    previous = 0
    for values in RECORD.iter_unpack(data[HEADER.size : HEADER.size + records * size]):
        end, kind, who, flags, samples, forwards, backwards, batches, _, *ns = values
        found.append(
            Boundary(
                end_ns=end,
                kind=kind,
                who=who,
                disturbed=bool(flags & 1),
                light=bool(flags & 8),
                gradients=bool(flags & 2),
                training=bool(flags & 4),
                samples=samples,
                forwards=forwards,
                backwards=backwards,
                batches=batches,
                ns=(end - previous, *ns[1:]) if flags & 8 else tuple(ns),
            )
        )
        previous = end
    return tuple(found)


def _process(path: Path) -> Process:
    events: dict[str, list[dict[str, Any]]] = {}
    windows: list[Window] = []
    cut_off = False
    for text in path.read_bytes().split(b"\n"):
        if not text:
            continue
        try:
            event = json.loads(text)
            kind = event.pop("k")
        except (ValueError, KeyError, TypeError, AttributeError):
            cut_off = True
            continue
        if kind in ("ops", "lines"):
            windows.append(_window(kind, event))
        else:
            events.setdefault(kind, []).append(event)
    start = events.get("start", [{}])[0]
    group = {**{name: start.get(name) for name in ("rank", "ranks")}, **events.get("group", [{}])[-1]}
    steps = path.with_suffix(".steps")
    found = boundaries(steps)
    return Process(
        pid=start.get("pid") or int(path.stem.split("-")[0]),
        parent=start.get("parent") or 0,
        rank=group["rank"] or 0,
        ranks=group["ranks"] or 1,
        start_ns=start.get("t") or int(path.stem.split("-")[1], 16),
        boundaries=found,
        windows=tuple(windows),
        events={kind: tuple(found) for kind, found in events.items()},
        cut_off=cut_off,
        lost=_lost(steps, len(found)),
    )


def _lost(path: Path, written: int) -> int:
    header = progress(path)
    return max(0, header[0] - written) if header is not None and written < MOST_RECORDS else 0


def _window(kind: str, event: dict[str, Any]) -> Window:
    return Window(
        kind=kind,
        end_ns=event["t"],
        steps=event["boundaries"],
        ns_by_state=tuple(event["ns"]),
        ops=tuple(_ops(event.get("ops", ()))),
        lines=tuple(
            Line(
                file=file, function=function, first_line=first, line=line, state=STATES[state], hits=hits, ns=ns,
                role=role,
            )
            for file, function, first, line, state, hits, ns, role in event.get("lines", ())
        ),
    )  # fmt: skip


def _ops(rows: Iterable[Sequence[Any]]) -> Iterable[Op]:
    for number, (name, arguments, keywords, outputs, state, where, count, times) in enumerate(rows):
        library, _, rest = name.partition(".")
        base, _, overload = rest.partition(".")
        # A median, so that one step that was held up by something else does not make the op expensive.
        typical = statistics.median(times)
        yield Op(
            name=base if library == "aten" else f"{library}::{base}",
            overload=overload,
            arguments=tuple(value(item) for item in arguments),
            keywords={key: value(item) for key, item in keywords},
            outputs=_outputs(outputs),
            state=STATES[state],
            where=(where[0], where[1]) if where else None,
            count=count,
            ns=int(typical * count),
            fastest_ns=min(times),
            raw=(name, arguments, keywords, number),
        )


def value(item: Any) -> Any:
    """What the probe's `describe` wrote, read back."""
    if not isinstance(item, list):
        return item
    kind, *rest = item if item else ("?",)
    if kind == "T":
        return Tensor(shape=tuple(rest[0]), dtype=rest[1], layout=rest[2])
    if kind == "L":
        return tuple(value(part) for part in rest)
    if kind in ("D", "V"):
        return rest[0]
    return None


def _outputs(item: Any) -> tuple[Any, ...]:
    read_back = value(item)
    return read_back if isinstance(read_back, tuple) else (read_back,)
