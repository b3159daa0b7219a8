"""`narrows ceiling`: measures this machine's ceilings, and caches them."""

import sys
from typing import Annotated

import typer

from narrows.cli import options
from narrows.job.failure import Failure


def ceiling(
    json: options.Json = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Measure again, whatever the cache says.")] = False,
    threads: Annotated[int, typer.Option("--threads", min=0, help="Threads to measure with; 0: all cores.")] = 0,
    python: Annotated[str, typer.Option("--python", help="The interpreter whose torch is used.", metavar="PATH")] = "",
    no_color: options.NoColor = False,
) -> None:
    """Measure what this machine can do: arithmetic, memory, dispatch, copies, disk."""
    import msgspec

    from narrows.machine import hardware
    from narrows.machine.ceilings import ceilings, torch_version
    from narrows.report.write import put

    interpreter = python or sys.executable
    version = torch_version(interpreter)
    if version is None:
        raise Failure(f"{interpreter} has no torch to measure with; name one that has: narrows ceiling --python PATH")
    found = ceilings(interpreter, threads or hardware.cores(), version, refresh=refresh)
    if found is None:
        raise Failure(f"the ceilings could not be measured with {interpreter}")
    if json:
        put(json, msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    if json != "-":
        _print(found, colour=not no_color)


def _print(found: object, *, colour: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from narrows.machine.datasheet import cpu_peak
    from narrows.machine.hardware import cores, cpu_name
    from narrows.report.format import rate, seconds, size
    from narrows.report.model import Ceilings

    assert isinstance(found, Ceilings)
    table = Table(title=f"{cpu_name()}, {cores()} cores", title_justify="left", box=None, padding=(0, 2))
    for name in ("ceiling", "measured", "datasheet"):
        table.add_column(name, justify="left" if name == "ceiling" else "right")
    for dtype, speed in found.flops.items():
        table.add_row(f"matrix product, {dtype}", rate(speed, "op/s"), rate(cpu_peak(dtype), "op/s"))
    for dtype, speed in found.convolution.items():
        table.add_row(f"convolution, {dtype}", rate(speed, "op/s"), "-")
    table.add_row("memory, copy", rate(found.bandwidth, "B/s"), "-")
    table.add_row("memory, read", rate(found.read_bandwidth, "B/s"), "-")
    for bytes_, speed in found.bandwidth_by_size:
        table.add_row(f"  working set {size(bytes_)}", rate(speed, "B/s"), "-")
    table.add_row("fixed cost of an op", seconds(found.dispatch_seconds), "-")
    for name, speeds in (("host to device", found.host_to_device), ("device to host", found.device_to_host)):
        for kind, speed in (speeds or {}).items():
            table.add_row(f"{name}, {kind}", rate(speed, "B/s"), "-")
    table.add_row("reading a file", rate(found.disk_read, "B/s"), "-")
    Console(no_color=not colour, highlight=False).print(table)


def register(app: typer.Typer) -> None:
    app.command()(ceiling)
