"""The ceilings as a table for people and as plain values for programs."""

from typing import Any

import msgspec
from rich.table import Table

from narrows.machine.datasheet import Datasheet
from narrows.report.format import rate, seconds, size
from narrows.report.model import Ceilings, Machine

SCHEMA = "narrows.ceilings/1"
SHOWN = (1 << 16, 1 << 20, 1 << 24, 1 << 29)
"""Working sets of which the table shows the bandwidth: a line for each cache, about, and one for memory."""


def document(machine: Machine, threads: int, python: str, torch: str, sheet: Datasheet | None) -> dict[str, Any]:
    """What `--json` writes: `machine` as in a report, what it was measured with, and the datasheet beside it."""
    given = None
    if sheet is not None:
        given = {"name": sheet.name, "flops": sheet.flops, "bandwidth": sheet.bandwidth, "source": sheet.source}
    return {
        "schema": SCHEMA,
        "machine": msgspec.to_builtins(machine),
        "threads": threads,
        "python": python,
        "torch": torch,
        "datasheet": given,
    }


def table(found: Ceilings, sheet: Datasheet | None) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("ceiling")
    made.add_column("measured", justify="right")
    if sheet is not None:
        made.add_column("datasheet", justify="right", style="dim")
        made.add_column("of it", justify="right", style="dim")
    for name, value, unit in _rows(found):
        given = _given(name, sheet)
        cells = [name, seconds(value) if unit == "s" else rate(value, unit)]
        if sheet is not None:
            cells += [rate(given, unit), f"{value / given:.0%}"] if given else ["", ""]
        made.add_row(*cells)
    return made


def _rows(found: Ceilings) -> list[tuple[str, float, str]]:
    rows = [(f"matrix product, {dtype}", value, "op/s") for dtype, value in found.flops.items()]
    rows += [(f"convolution, {dtype}", value, "op/s") for dtype, value in found.convolution.items()]
    rows.append(("memory, copy", found.bandwidth, "B/s"))
    rows.append(("memory, read", found.read_bandwidth, "B/s"))
    for bytes_, value in found.bandwidth_by_size:
        if bytes_ in SHOWN:
            rows.append((f"best of all ops that move {size(bytes_)}", value, "B/s"))
    for way, rates in (("host to device", found.host_to_device), ("device to host", found.device_to_host)):
        rows += [(f"{way}, {kind}", value, "B/s") for kind, value in (rates or {}).items()]
    for kind, link in (found.collective or {}).items():
        name = f"{kind}, {link.ranks} ranks ({link.backend})"
        rows += [(f"{name}, latency", link.latency_seconds, "s"), (f"{name}, bandwidth", link.bandwidth, "B/s")]
    if found.disk_read is not None:
        rows.append(("disk, read", found.disk_read, "B/s"))
    rows.append(("dispatch of one op", found.dispatch_seconds, "s"))
    rows.append(("first touch of a page", found.page_touch_seconds, "s"))
    rows.append(("giving a page back", found.page_release_seconds, "s"))
    return rows


def _given(name: str, sheet: Datasheet | None) -> float | None:
    if sheet is None:
        return None
    kind, _, dtype = name.partition(", ")
    if kind in ("matrix product", "convolution"):
        return sheet.flops.get(dtype)
    return sheet.bandwidth if kind == "memory" else None
